package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type alias struct {
	URL       string `json:"url"`
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
	API       string `json:"api"`
	Path      string `json:"path"`
}

type aliases struct {
	Version string           `json:"version"`
	Aliases map[string]alias `json:"aliases"`
}

// client is `mc`: what fails says so and answers 1.
func client(args []string) int {
	words, flags := []string{}, map[string]string{}
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case !strings.HasPrefix(args[i], "-"):
			words = append(words, args[i])
		case (name == "--region" || name == "--config-dir" || name == "-C" || name == "--api" || name == "--path") && !joined && i+1 < len(args):
			i++
			flags[name] = args[i]
		default:
			flags[name] = value
		}
	}
	err := dispatch(words, flags)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mc: <ERROR> %v\n", err)
		return 1
	}
	return 0
}

func dispatch(words []string, flags map[string]string) error {
	if len(words) == 0 {
		return fmt.Errorf("no command")
	}
	switch command := words[0]; {
	case command == "alias" && len(words) >= 4 && words[1] == "set":
		return setAlias(words[2:], flags)
	case command == "ready" && len(words) == 2:
		return within(words[1], func(ctx context.Context, store *minio.Client, _, _ string) error {
			_, err := store.ListBuckets(ctx)
			return err
		})
	case command == "mb" && len(words) == 2:
		return within(words[1], func(ctx context.Context, store *minio.Client, bucket, _ string) error {
			return makeBucket(ctx, store, words[1], bucket, flags)
		})
	case command == "ls" && len(words) == 2:
		return within(words[1], list)
	case command == "rb" && len(words) == 2:
		return within(words[1], func(ctx context.Context, store *minio.Client, bucket, _ string) error {
			return store.RemoveBucket(ctx, bucket)
		})
	case command == "cat" && len(words) == 2:
		return within(words[1], func(ctx context.Context, store *minio.Client, bucket, key string) error {
			object, err := store.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
			if err != nil {
				return err
			}
			_, err = io.Copy(os.Stdout, object)
			return err
		})
	case command == "pipe" && len(words) == 2:
		return within(words[1], func(ctx context.Context, store *minio.Client, bucket, key string) error {
			_, err := store.PutObject(ctx, bucket, key, os.Stdin, -1, minio.PutObjectOptions{PartSize: 5 << 20})
			return err
		})
	}
	return fmt.Errorf("`%s` is not a recognized command", strings.Join(words, " "))
}

func list(ctx context.Context, store *minio.Client, bucket, key string) error {
	if bucket == "" {
		buckets, err := store.ListBuckets(ctx)
		for _, found := range buckets {
			fmt.Printf("[%s]     0B %s/\n", found.CreationDate.Format("2006-01-02 15:04:05 MST"), found.Name)
		}
		return err
	}
	exists, err := store.BucketExists(ctx, bucket)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("Unable to list folder. Bucket `%s` does not exist.", bucket)
	}
	for found := range store.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: key}) {
		if found.Err != nil {
			return found.Err
		}
		fmt.Printf("[%s] %dB STANDARD %s\n", found.LastModified.Format("2006-01-02 15:04:05 MST"), found.Size, found.Key)
	}
	return nil
}

func makeBucket(ctx context.Context, store *minio.Client, target, bucket string, flags map[string]string) error {
	_, ignore := flags["--ignore-existing"]
	_, short := flags["-p"]
	err := store.MakeBucket(ctx, bucket, minio.MakeBucketOptions{Region: region(flags)})
	code := minio.ToErrorResponse(err).Code
	known := code == "BucketAlreadyOwnedByYou" || code == "BucketAlreadyExists"
	if err != nil && !(known && (ignore || short)) {
		return fmt.Errorf("Unable to make bucket `%s`. %v", target, err)
	}
	fmt.Printf("Bucket created successfully `%s`.\n", target)
	return nil
}

func region(flags map[string]string) string {
	if flags["--region"] != "" {
		return flags["--region"]
	}
	return env("MC_REGION", "minio")
}

// setAlias takes the keys as arguments, else from stdin, a line each, and tries them.
func setAlias(words []string, flags map[string]string) error {
	made := alias{URL: words[1], API: "S3v4", Path: "auto"}
	if len(words) >= 4 {
		made.AccessKey, made.SecretKey = words[2], words[3]
	} else {
		lines := bufio.NewScanner(os.Stdin)
		for _, place := range []*string{&made.AccessKey, &made.SecretKey} {
			if lines.Scan() {
				*place = strings.TrimSpace(lines.Text())
			}
		}
	}
	store, err := open(made)
	if err != nil {
		return fmt.Errorf("Invalid URL `%s`. %v", made.URL, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := store.ListBuckets(ctx); err != nil {
		return fmt.Errorf("Unable to initialize new alias from the provided credentials. %v", err)
	}
	all, _ := readAliases()
	all.Aliases[words[0]] = made
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder(), 0o700); err != nil {
		return fmt.Errorf("Unable to save new mc config. %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder(), "config.json"), text, 0o600); err != nil {
		return fmt.Errorf("Unable to save new mc config. %v", err)
	}
	fmt.Printf("Added `%s` successfully.\n", words[0])
	return nil
}

func folder() string { return env("MC_CONFIG_DIR", filepath.Join(os.Getenv("HOME"), ".mc")) }

func readAliases() (aliases, error) {
	all := aliases{Version: "10", Aliases: map[string]alias{}}
	text, err := os.ReadFile(filepath.Join(folder(), "config.json"))
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	return all, err
}

// within opens what `ALIAS[/BUCKET[/KEY]]` names: of the environment (MC_HOST_ALIAS), else of the configuration.
func within(target string, work func(ctx context.Context, store *minio.Client, bucket, key string) error) error {
	name, rest, _ := strings.Cut(target, "/")
	bucket, key, _ := strings.Cut(rest, "/")
	var chosen alias
	if address, err := url.Parse(os.Getenv("MC_HOST_" + name)); err == nil && address.Host != "" {
		password, _ := address.User.Password()
		chosen = alias{URL: address.Scheme + "://" + address.Host, AccessKey: address.User.Username(), SecretKey: password}
	} else {
		all, _ := readAliases()
		found, ok := all.Aliases[name]
		if !ok {
			return fmt.Errorf("Unable to find alias `%s`: No such alias.", name)
		}
		chosen = found
	}
	store, err := open(chosen)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	return work(ctx, store, bucket, key)
}

func open(of alias) (*minio.Client, error) {
	address, err := url.Parse(of.URL)
	if err != nil {
		return nil, err
	}
	return minio.New(address.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(of.AccessKey, of.SecretKey, ""),
		Secure:       address.Scheme == "https",
		Region:       env("MC_REGION", "minio"),
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   2,
	})
}
