package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dop251/goja"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// prelude gives scripts `db` with the methods that administrators type. Each comes down to one command of the server.
const prelude = `
const database = (name) => new Proxy({
  getName: () => name,
  getSiblingDB: (other) => database(other),
  runCommand: (command) => run(name, JSON.stringify(typeof command === 'string' ? { [command]: 1 } : command)),
  adminCommand: (command) => run('admin', JSON.stringify(typeof command === 'string' ? { [command]: 1 } : command)),
  hello: () => run(name, '{"hello":1}'),
  stats: () => run(name, '{"dbStats":1}'),
  dropDatabase: () => run(name, '{"dropDatabase":1}'),
  getCollectionNames: () => run(name, '{"listCollections":1,"nameOnly":true}').cursor.firstBatch.map((one) => one.name),
  getCollection: (of) => collection(name, of),
}, { get: (methods, key) => key in methods ? methods[key] : collection(name, key) })
const ask = (name, command) => {
  const reply = run(name, JSON.stringify(command))
  const failed = (reply.writeErrors || [])[0]
  if (failed) throw new Error('MongoServerError: ' + failed.errmsg)
  return reply
}
const collection = (name, of) => {
  const find = (filter = {}, projection = {}, limit = 0) =>
    ask(name, { find: of, filter, projection, ...(limit ? { limit } : {}) }).cursor.firstBatch
  const update = (q, u, options = {}, multi = false) => {
    const reply = ask(name, { update: of, updates: [{ q, u, multi, upsert: !!options.upsert }] })
    return { acknowledged: true, matchedCount: reply.n, modifiedCount: reply.nModified }
  }
  const remove = (q, limit) => ({ acknowledged: true, deletedCount: ask(name, { delete: of, deletes: [{ q, limit }] }).n })
  return {
    find: (filter, projection) => {
      const all = find(filter, projection)
      return Object.assign(all, { toArray: () => all, limit: (n) => all.slice(0, n), count: () => all.length })
    },
    findOne: (filter, projection) => find(filter, projection, 1)[0] ?? null,
    insertOne: (one) => { ask(name, { insert: of, documents: [one] }); return { acknowledged: true, insertedId: one._id } },
    insertMany: (all) => { ask(name, { insert: of, documents: all }); return { acknowledged: true } },
    updateOne: (q, u, options) => update(q, u, options), updateMany: (q, u, options) => update(q, u, options, true),
    replaceOne: (q, u, options) => update(q, u, options),
    deleteOne: (q) => remove(q, 1), deleteMany: (q) => remove(q, 0),
    countDocuments: (filter) => find(filter).length, estimatedDocumentCount: () => find().length,
    drop: () => ask(name, { drop: of }).ok === 1,
  }
}
const EJSON = JSON
const printjson = (what) => print(JSON.stringify(what, null, 2))
const rs = { status: () => run('admin', '{"replSetGetStatus":1}') }
`

// shell is `mongosh [ADDRESS] [--quiet] --eval SCRIPT`. Without --eval the script comes from stdin. It prints the last value.
func shell(args []string) int {
	address, scripts, host, port := "", []string{}, "127.0.0.1", "27017"
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if !joined && i+1 < len(args) && (name == "--eval" || name == "--host" || name == "--port") {
			i++
			value = args[i]
		}
		switch {
		case name == "--eval":
			scripts = append(scripts, value)
		case name == "--host":
			host = value
		case name == "--port":
			port = value
		case !strings.HasPrefix(args[i], "-"):
			address = args[i]
		}
	}
	if len(scripts) == 0 {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return 1
		}
		scripts = append(scripts, string(text))
	}
	name := "test"
	if !strings.Contains(address, "://") {
		if address != "" {
			name = address
		}
		address = "mongodb://" + host + ":" + port + "/" + name
	} else if _, path, found := strings.Cut(strings.SplitN(address, "://", 2)[1], "/"); found && path != "" {
		name, _, _ = strings.Cut(path, "?")
	}
	return evaluate(address, name, scripts)
}

func evaluate(address, name string, scripts []string) int {
	connection := options.Client().ApplyURI(address).SetServerSelectionTimeout(patience).
		SetBSONOptions(&options.BSONOptions{DefaultDocumentM: true})
	server, err := mongo.Connect(connection)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = server.Ping(ctx, nil)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "MongoNetworkError: %v\n", err)
		return 1
	}
	machine := goja.New()
	_ = machine.Set("print", func(values ...any) { fmt.Println(values...) })
	_ = machine.Set("quit", func(code int) { os.Exit(code) })
	_ = machine.Set("run", func(database, command string) any { return commandOf(machine, server, database, command) })
	if _, err := machine.RunString(prelude + "\nvar db = database(" + quoted(name) + ")"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var last goja.Value
	for _, script := range scripts {
		if last, err = machine.RunString(script); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if last == nil || goja.IsUndefined(last) {
		return 0
	}
	if text, ok := last.Export().(string); ok {
		fmt.Println(text)
	} else if text, err := json.MarshalIndent(last.Export(), "", "  "); err == nil {
		fmt.Println(string(text))
	}
	return 0
}

func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

// commandOf runs a command whose text is extended JSON, so that the order of its keys stays.
func commandOf(machine *goja.Runtime, server *mongo.Client, database, text string) any {
	var command bson.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &command); err != nil {
		panic(machine.NewGoError(err))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, err := server.Database(database).RunCommand(ctx, command).Raw()
	if err != nil {
		panic(machine.NewGoError(err))
	}
	plain, err := bson.MarshalExtJSON(reply, false, false)
	if err != nil {
		panic(machine.NewGoError(err))
	}
	value, err := machine.RunString("(" + string(plain) + ")")
	if err != nil {
		panic(machine.NewGoError(err))
	}
	return value
}
