package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The archive format of MongoDB's own tools, as far as their documents tell it: a magic number, what there is, and blocks of
// documents, of two collections in turn.
const archiveMagic = 0x8199e26d

var archiveEnd = []byte{0xff, 0xff, 0xff, 0xff}

type collectionMetadata struct {
	Database   string `bson:"db"`
	Collection string `bson:"collection"`
	Metadata   string `bson:"metadata"`
	Size       int32  `bson:"size"`
	Type       string `bson:"type"`
}

type namespaceHeader struct {
	Database   string `bson:"db"`
	Collection string `bson:"collection"`
	EOF        bool   `bson:"EOF"`
	CRC        int64  `bson:"CRC"`
}

type metadata struct {
	Indexes []bson.D `bson:"indexes"`
}

func ended(name string, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "Failed: %v\n", err)
	return 1
}

// flagsOf reads `--name`, `--name=value` of those that are known here.
func flagsOf(args []string, known ...string) (map[string]string, error) {
	flags := map[string]string{}
	for _, arg := range args {
		name, value, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		found := false
		for _, one := range known {
			found = found || one == name
		}
		if !strings.HasPrefix(arg, "--") || !found {
			return nil, fmt.Errorf("error parsing command line options: unknown option %q", arg)
		}
		flags[name] = value
	}
	return flags, nil
}

func connect(ctx context.Context) (*mongo.Client, error) {
	server, err := mongo.Connect(options.Client().ApplyURI("mongodb://127.0.0.1:27017").SetServerSelectionTimeout(patience))
	if err != nil {
		return nil, err
	}
	return server, server.Ping(ctx, nil)
}

func dump(args []string) error {
	flags, err := flagsOf(args, "quiet", "archive", "db")
	if err != nil {
		return err
	}
	ctx := context.Background()
	server, err := connect(ctx)
	if err != nil {
		return err
	}
	database := server.Database(flags["db"])
	names, err := database.ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	write := func(document any) error {
		text, err := bson.Marshal(document)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	}
	_ = binary.Write(out, binary.LittleEndian, uint32(archiveMagic))
	about := bson.D{{Key: "concurrent_collections", Value: int32(4)}, {Key: "version", Value: "0.1"}, {Key: "server_version", Value: "7.0.0"}, {Key: "tool_version", Value: "lab"}}
	if err := write(about); err != nil {
		return err
	}
	kept := []string{}
	for _, name := range names {
		if strings.HasPrefix(name, "system.") {
			continue
		}
		kept = append(kept, name)
		text, err := metadataOf(ctx, database.Collection(name))
		if err != nil {
			return err
		}
		if err := write(collectionMetadata{flags["db"], name, text, 0, "collection"}); err != nil {
			return err
		}
	}
	_, _ = out.Write(archiveEnd)
	for _, name := range kept {
		if err := dumpCollection(ctx, database.Collection(name), write, out); err != nil {
			return err
		}
	}
	return out.Flush()
}

func metadataOf(ctx context.Context, collection *mongo.Collection) (string, error) {
	found := metadata{Indexes: []bson.D{}}
	cursor, err := collection.Indexes().List(ctx)
	if err != nil {
		return "", err
	}
	if err := cursor.All(ctx, &found.Indexes); err != nil {
		return "", err
	}
	text, err := bson.MarshalExtJSON(found, true, false)
	return string(text), err
}

// Several blocks of a collection, as of more than one that is dumped at a time.
func dumpCollection(ctx context.Context, collection *mongo.Collection, write func(any) error, out io.Writer) error {
	cursor, err := collection.Find(ctx, bson.D{})
	if err != nil {
		return err
	}
	defer cursor.Close(ctx)
	header := namespaceHeader{Database: collection.Database().Name(), Collection: collection.Name()}
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	for count := 0; cursor.Next(ctx); count++ {
		if count%100 == 0 {
			if count > 0 {
				_, _ = out.Write(archiveEnd)
			}
			if err := write(header); err != nil {
				return err
			}
		}
		if _, err := io.MultiWriter(out, sum).Write(cursor.Current); err != nil {
			return err
		}
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	if sum.Sum64() != 0 {
		_, _ = out.Write(archiveEnd)
	}
	header.EOF, header.CRC = true, int64(sum.Sum64())
	if err := write(header); err != nil {
		return err
	}
	_, err = out.Write(archiveEnd)
	return err
}

func restore(args []string) error {
	flags, err := flagsOf(args, "quiet", "archive", "stopOnError", "nsInclude", "nsFrom", "nsTo")
	if err != nil {
		return err
	}
	from, to := strings.TrimSuffix(flags["nsInclude"], ".*"), strings.TrimSuffix(flags["nsTo"], ".*")
	if to == "" {
		to = from
	}
	ctx := context.Background()
	server, err := connect(ctx)
	if err != nil {
		return err
	}
	in := &archiveReader{in: bufio.NewReader(os.Stdin)}
	collections, err := in.prelude()
	if err != nil {
		return err
	}
	database := server.Database(to)
	for _, one := range collections {
		if one.Database != from {
			continue
		}
		if err := createCollection(ctx, database, one); err != nil {
			return err
		}
	}
	open := map[string]bool{}
	for _, one := range collections {
		open[one.Collection] = true
	}
	for {
		header, documents, err := in.block()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if header.EOF {
			delete(open, header.Collection)
		}
		if len(documents) > 0 && header.Database == from {
			if _, err := database.Collection(header.Collection).InsertMany(ctx, documents); err != nil {
				return err
			}
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("archive is cut off: %d collections have no end", len(open))
	}
	return nil
}

func createCollection(ctx context.Context, database *mongo.Database, one collectionMetadata) error {
	if err := database.CreateCollection(ctx, one.Collection); err != nil {
		return err
	}
	var found metadata
	if err := bson.UnmarshalExtJSON([]byte(one.Metadata), true, &found); err != nil {
		return err
	}
	indexes := bson.A{}
	for _, index := range found.Indexes {
		plain, isOwn := bson.D{}, false
		for _, field := range index {
			isOwn = isOwn || (field.Key == "name" && field.Value == "_id_")
			if field.Key != "ns" {
				plain = append(plain, field)
			}
		}
		if !isOwn {
			indexes = append(indexes, plain)
		}
	}
	if len(indexes) == 0 {
		return nil
	}
	command := bson.D{{Key: "createIndexes", Value: one.Collection}, {Key: "indexes", Value: indexes}}
	return database.RunCommand(ctx, command).Err()
}

type archiveReader struct{ in *bufio.Reader }

// next gives a document, or none at the end of a block.
func (reader *archiveReader) next() (bson.Raw, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(reader.in, head); err != nil {
		return nil, err
	}
	if bytes.Equal(head, archiveEnd) {
		return nil, nil
	}
	size := binary.LittleEndian.Uint32(head)
	if size < 5 || size > 17<<20 {
		return nil, fmt.Errorf("archive is damaged")
	}
	document := append(head, make([]byte, size-4)...)
	if _, err := io.ReadFull(reader.in, document[4:]); err != nil {
		return nil, fmt.Errorf("archive is cut off: %w", err)
	}
	return document, nil
}

func (reader *archiveReader) prelude() ([]collectionMetadata, error) {
	var magic uint32
	if err := binary.Read(reader.in, binary.LittleEndian, &magic); err != nil || magic != archiveMagic {
		return nil, fmt.Errorf("stream or file does not appear to be a mongodump archive")
	}
	found := []collectionMetadata{}
	for count := 0; ; count++ {
		document, err := reader.next()
		if err != nil || document == nil {
			return found, err
		}
		if count == 0 {
			continue
		}
		var one collectionMetadata
		if err := bson.Unmarshal(document, &one); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
}

func (reader *archiveReader) block() (header namespaceHeader, documents []any, err error) {
	first, err := reader.next()
	if err != nil {
		return header, nil, err
	}
	if first == nil {
		return header, nil, fmt.Errorf("archive is damaged: a block without a header")
	}
	if err := bson.Unmarshal(first, &header); err != nil {
		return header, nil, err
	}
	for {
		document, err := reader.next()
		if err == io.EOF {
			err = fmt.Errorf("archive is cut off")
		}
		if err != nil || document == nil {
			return header, documents, err
		}
		documents = append(documents, document)
	}
}
