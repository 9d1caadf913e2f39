package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

var collections = strings.Fields(`accounts users channels messages servers server_members server_bans
	channel_invites channel_unreads channel_webhooks migrations attachments attachment_hashes user_settings
	policy_changes safety_reports safety_snapshots safety_strikes bots ratelimit_events pubsub`)

// revision is the one that this release migrates the database to.
func revision() int {
	number, err := strconv.Atoi(env("LAB_REVISION", "50"))
	check(err, "LAB_REVISION")
	return number
}

// invites is the collection of codes that let somebody make an account.
func invites() string {
	if revision() > 50 {
		return "account_invites"
	}
	return "invites"
}

// prepare makes the database at the first boot, and migrates it at each other one. One that somebody else has made is no
// database of the platform.
func prepare(db *mongo.Database) {
	ctx, cancel := within(120)
	defer cancel()
	names, err := db.Client().ListDatabaseNames(ctx, bson.M{})
	check(err, "Failed to fetch database names.")
	if !slices.Contains(names, db.Name()) {
		create(db)
		return
	}
	found, err := one[bson.M](db, "migrations", bson.M{"_id": 0})
	check(err, "Failed to fetch migration data.")
	now, err := strconv.Atoi(fmt.Sprint(found["revision"]))
	check(err, "revision")
	fmt.Println("Starting database migration.")
	migrate(db, now)
	last := max(now, revision())
	check(set(db, "migrations", bson.M{"_id": 0}, bson.M{"revision": last}), "Failed to commit migration information.")
	fmt.Printf("Migration complete. Currently at revision %d.\n", last)
}

func create(db *mongo.Database) {
	fmt.Println("Creating database.")
	ctx, cancel := within(120)
	defer cancel()
	for _, name := range collections {
		check(db.CreateCollection(ctx, name), "Failed to create "+name+" collection.")
	}
	if revision() > 50 {
		check(db.CreateCollection(ctx, "account_invites"), "Failed to create account_invites collection.")
		createAuditLogs(db)
	}
	check(insert(db, "migrations", bson.M{"_id": 0, "revision": revision()}), "Failed to save migration info.")
}

// migrate does what upstream's migrations do to what the stand-ins keep. The last of them looks the wrong way round, as
// upstream's does: it is left out while the database is older, and is made up for at the next start.
func migrate(db *mongo.Database, now int) {
	if now <= 49 && revision() > 49 {
		giveRolesIds(db)
	}
	if now <= 50 && revision() > 50 {
		if has(db, "invites") {
			ctx, cancel := within(60)
			defer cancel()
			rename := bson.D{{Key: "renameCollection", Value: "revolt.invites"}, {Key: "to", Value: "revolt.account_invites"}, {Key: "dropTarget", Value: true}}
			check(db.Client().Database("admin").RunCommand(ctx, rename).Err(), "Failed to rename invites collection")
		}
	}
	if now >= 51 && revision() > 51 {
		createAuditLogs(db)
	}
	if now < revision() {
		obstruct(db)
	}
}

// obstruct has a test hold a migration up as long as it wants, or fail when all is done but said.
func obstruct(db *mongo.Database) {
	for {
		wanted, err := one[bson.M](db, "lab", bson.M{"_id": "migration"})
		if err == nil && wanted["fails"] == true {
			fmt.Fprintln(os.Stderr, "thread 'main' panicked: Failed to update voice channels")
			os.Exit(101)
		}
		if err != nil || wanted["waits"] != true {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func giveRolesIds(db *mongo.Database) {
	servers, err := many(db, "servers", bson.M{"roles": bson.M{"$exists": true}})
	check(err, "Failed to decode Server { id, roles }")
	for _, server := range servers {
		roles, _ := server["roles"].(bson.M)
		for id := range roles {
			check(set(db, "servers", bson.M{"_id": server["_id"]}, bson.M{"roles." + id + "._id": id}), "roles")
		}
	}
}

// createAuditLogs does nothing where the collection is there, as MongoDB 7 does.
func createAuditLogs(db *mongo.Database) {
	there := has(db, "audit_logs")
	ctx, cancel := within(60)
	defer cancel()
	if !there {
		check(db.CreateCollection(ctx, "audit_logs"), "Failed to create audit_logs collection")
	}
	keys := bson.D{{Key: "server", Value: 1}, {Key: "user", Value: 1}, {Key: "action.type", Value: 1}}
	indexes := bson.A{bson.M{"key": keys, "name": "audit_log_filters"}}
	command := bson.D{{Key: "createIndexes", Value: "audit_logs"}, {Key: "indexes", Value: indexes}}
	check(db.RunCommand(ctx, command).Err(), "Failed to create audit_logs index")
}

func has(db *mongo.Database, collection string) bool {
	ctx, cancel := within(60)
	defer cancel()
	names, err := db.ListCollectionNames(ctx, bson.M{})
	check(err, "Failed to list collections.")
	return slices.Contains(names, collection)
}
