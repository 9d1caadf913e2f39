package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed defaults.toml
var defaults string

// Limits of uploads, by what the file is for.
type limits struct {
	FileUploadSizeLimit map[string]int64 `toml:"file_upload_size_limit"`
}

// Config is what the stand-ins read of Revolt.toml.
type Config struct {
	Database struct {
		Mongodb, Redis string
	}
	Hosts struct {
		App, Api, Events, Autumn, January string
	}
	Rabbit struct {
		Host               string
		Port               int
		Username, Password string
	}
	Api struct {
		Registration struct {
			InviteOnly bool `toml:"invite_only"`
		}
		Smtp     struct{ Host string }
		Security struct {
			TrustCloudflare bool   `toml:"trust_cloudflare"`
			TenorKey        string `toml:"tenor_key"`
			Captcha         struct {
				Key     string `toml:"hcaptcha_key"`
				Sitekey string `toml:"hcaptcha_sitekey"`
			}
		}
	}
	Pushd struct {
		Vapid struct {
			PrivateKey string `toml:"private_key"`
			PublicKey  string `toml:"public_key"`
		}
	}
	Files struct {
		EncryptionKey string `toml:"encryption_key"`
		S3            struct {
			Endpoint        string
			PathStyle       bool `toml:"path_style_buckets"`
			Region          string
			AccessKeyId     string `toml:"access_key_id"`
			SecretAccessKey string `toml:"secret_access_key"`
			DefaultBucket   string `toml:"default_bucket"`
		}
	}
	Features struct {
		Limits struct {
			Global struct {
				BodyLimitSize int64 `toml:"body_limit_size"`
			}
			NewUser limits `toml:"new_user"`
			Default limits
		}
	}
}

// readConfig merges in upstream's order: what is compiled in, then in each folder from the current one up to the
// root Revolt.toml, Revolt.overrides.toml and /Revolt.toml, then REVOLT__A__B. A file that is absent is skipped
// without a word; one that cannot be read or parsed ends the program.
func readConfig() Config {
	all := map[string]any{}
	merge(all, parse("the defaults", defaults))
	folder, err := os.Getwd()
	check(err, "current folder")
	for {
		for _, name := range []string{"Revolt.toml", "Revolt.overrides.toml", "/Revolt.toml"} {
			path := name
			if !filepath.IsAbs(name) {
				path = filepath.Join(folder, name)
			}
			if _, err := os.Stat(path); err != nil {
				continue
			}
			text, err := os.ReadFile(path)
			check(err, "configuration file "+path)
			merge(all, parse(path, string(text)))
		}
		if folder == "/" {
			break
		}
		folder = filepath.Dir(folder)
	}
	mergeEnvironment(all)
	var out strings.Builder
	check(toml.NewEncoder(&out).Encode(all), "configuration")
	var config Config
	_, err = toml.Decode(out.String(), &config)
	check(err, "configuration")
	return config
}

func parse(path, text string) map[string]any {
	found := map[string]any{}
	_, err := toml.Decode(text, &found)
	check(err, "configuration file "+path)
	return found
}

func merge(into, from map[string]any) {
	for key, value := range from {
		old, isTable := into[key].(map[string]any)
		table, more := value.(map[string]any)
		if isTable && more {
			merge(old, table)
		} else {
			into[key] = value
		}
	}
}

func mergeEnvironment(all map[string]any) {
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		path := strings.Split(strings.ToLower(strings.TrimPrefix(name, "REVOLT_")), "__")
		if !strings.HasPrefix(name, "REVOLT__") || len(path) < 3 {
			continue
		}
		table := all
		for _, key := range path[1 : len(path)-1] {
			next, ok := table[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				table[key] = next
			}
			table = next
		}
		key := path[len(path)-1]
		table[key] = typed(table[key], value, name)
	}
}

func typed(old any, value, name string) any {
	switch old.(type) {
	case []any:
		fail("invalid type: string %q, expected a sequence for %s", value, name)
	case bool:
		found, err := strconv.ParseBool(value)
		check(err, name)
		return found
	case int64:
		found, err := strconv.ParseInt(value, 10, 64)
		check(err, name)
		return found
	}
	return value
}

func check(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

// fail ends the program as a panic of upstream does: a message on stderr, code 101.
func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "thread 'main' panicked: "+format+"\n", values...)
	os.Exit(101)
}
