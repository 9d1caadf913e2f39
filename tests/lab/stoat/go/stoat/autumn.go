package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
	minioCredentials "github.com/minio/minio-go/v7/pkg/credentials"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

var tags = []string{"attachments", "avatars", "backgrounds", "icons", "banners", "emojis"}

// files keeps what was uploaded in S3, encrypted, and what is known of it in Mongo.
type files struct {
	config Config
	db     *mongo.Database
	store  *minio.Client
}

func autumn(config Config) {
	f := files{config: config, db: database(config), store: openStore(config)}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", answering(func(*http.Request) (any, error) {
		return map[string]any{"autumn": "Hello, I am a file server!", "version": env("LAB_VERSION", "0.13.7")}, nil
	}))
	for _, tag := range tags {
		routes.HandleFunc("POST /"+tag, answering(f.upload))
		routes.HandleFunc("GET /"+tag+"/{file}", f.preview)
		routes.HandleFunc("GET /"+tag+"/{file}/{name}", f.download)
	}
	limits := ratelimits{resolve: func(r *http.Request) (string, int) {
		if r.Method == "POST" {
			return "upload " + r.URL.Path, 10
		}
		return "any", 1 << 30
	}, trust: config.Api.Security.TrustCloudflare}
	listen(14704, limits.around(routes))
}

func openStore(config Config) *minio.Client {
	s3 := config.Files.S3
	address, err := url.Parse(s3.Endpoint)
	check(err, "files.s3.endpoint")
	lookup := minio.BucketLookupDNS
	if s3.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(address.Host, &minio.Options{
		Creds:        minioCredentials.NewStaticV4(s3.AccessKeyId, s3.SecretAccessKey, ""),
		Secure:       address.Scheme == "https",
		Region:       s3.Region,
		BucketLookup: lookup,
		MaxRetries:   1,
	})
	check(err, "files.s3")
	return client
}

// cipher panics on a key that is none, as upstream does in the midst of a request: the client sees no answer at all.
func (f files) cipher() cipher.AEAD {
	key, err := base64.StdEncoding.Strict().DecodeString(f.config.Files.EncryptionKey)
	if err != nil || len(key) != 32 {
		fmt.Println("thread 'tokio-runtime-worker' panicked: valid base64 string of 32 bytes")
		panic(http.ErrAbortHandler)
	}
	block, err := aes.NewCipher(key)
	check(err, "cipher")
	sealed, err := cipher.NewGCM(block)
	check(err, "cipher")
	return sealed
}

func (f files) upload(r *http.Request) (any, error) {
	token := r.Header.Get("X-Session-Token")
	if token == "" {
		return nil, problem{401, "NotAuthenticated"}
	}
	user, err := userOf(f.db, token)
	if err != nil {
		return nil, err
	}
	name, data, err := f.part(r)
	if err != nil {
		return nil, err
	}
	tag := strings.TrimPrefix(r.URL.Path, "/")
	if len(data) == 0 {
		return nil, problem{422, "FileTooSmall"}
	}
	if most := f.config.Features.Limits.NewUser.FileUploadSizeLimit[tag]; most > 0 && int64(len(data)) > most {
		return nil, problem{422, "FileTooLarge"}
	}
	kind := mime.TypeByExtension(filepath.Ext(name))
	if kind == "" {
		kind = "application/octet-stream"
	}
	hash := fmt.Sprintf("%x", sha256.Sum256(data))
	if err := f.keep(hash, kind, data); err != nil {
		return nil, err
	}
	id := newToken(42)
	return map[string]any{"id": id}, insert(f.db, "attachments", bson.M{
		"_id": id, "tag": tag, "filename": name, "hash": hash, "uploader_id": user["_id"], "uploaded_at": now(),
		"metadata": bson.M{"type": "File"}, "content_type": kind, "size": len(data) + 16,
	})
}

// part is the file of a form. A body over the limit is refused before it is looked at.
func (f files) part(r *http.Request) (string, []byte, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, f.config.Features.Limits.Global.BodyLimitSize)
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, problem{400, "InvalidProperty"}
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return "", nil, tooLarge(err)
		}
		if part.FormName() != "file" {
			continue
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return "", nil, tooLarge(err)
		}
		return part.FileName(), data, nil
	}
}

func tooLarge(err error) error {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return problem{status: 413}
	}
	return problem{400, "InvalidProperty"}
}

// keep stores data once for each content: what is known already is not even sent to S3.
func (f files) keep(hash, kind string, data []byte) error {
	known, err := one[bson.M](f.db, "attachment_hashes", bson.M{"_id": hash})
	if err == nil && known["iv"] != "" {
		return nil
	}
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = insert(f.db, "attachment_hashes", bson.M{
			"_id": hash, "processed_hash": hash, "bucket_id": f.config.Files.S3.DefaultBucket, "path": hash, "iv": "",
			"metadata": bson.M{"type": "File"}, "content_type": kind, "size": len(data) + 16, "created_at": now(),
		})
	}
	if err != nil {
		return err
	}
	sealed := f.cipher()
	nonce := make([]byte, sealed.NonceSize())
	_, _ = rand.Read(nonce)
	body := sealed.Seal(nil, nonce, data, nil)
	ctx, cancel := within(30)
	defer cancel()
	bucket := f.config.Files.S3.DefaultBucket
	_, err = f.store.PutObject(ctx, bucket, hash, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
	if err != nil {
		fmt.Printf("s3: %v\n", err)
		return internal
	}
	values := bson.M{"iv": base64.StdEncoding.EncodeToString(nonce)}
	return set(f.db, "attachment_hashes", bson.M{"_id": hash}, values)
}

// attached is a file that something uses; all others are not there.
func (f files) attached(r *http.Request) (bson.M, bson.M, error) {
	tag := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")[0]
	file, err := one[bson.M](f.db, "attachments", bson.M{"_id": r.PathValue("file"), "tag": tag})
	if errors.Is(err, mongo.ErrNoDocuments) || err == nil && (file["deleted"] == true || file["used_for"] == nil) {
		return nil, nil, notFound
	}
	if err != nil {
		return nil, nil, err
	}
	hash, err := one[bson.M](f.db, "attachment_hashes", bson.M{"_id": file["hash"]})
	return file, hash, err
}

// preview of what is no image is the way to the file, from the root of the service's own host.
func (f files) preview(w http.ResponseWriter, r *http.Request) {
	file, _, err := f.attached(r)
	if err != nil {
		answering(func(*http.Request) (any, error) { return nil, err })(w, r)
		return
	}
	w.Header().Set("Location", fmt.Sprintf("/%v/%v/%s", file["tag"], file["_id"], url.PathEscape(fmt.Sprint(file["filename"]))))
	w.WriteHeader(http.StatusPermanentRedirect)
}

func (f files) download(w http.ResponseWriter, r *http.Request) {
	file, hash, err := f.attached(r)
	if err == nil && r.PathValue("name") == "original" {
		f.preview(w, r)
		return
	}
	if err == nil && r.PathValue("name") != file["filename"] {
		err = notFound
	}
	var data []byte
	if err == nil {
		data, err = f.open(hash)
	}
	if err != nil {
		answering(func(*http.Request) (any, error) { return nil, err })(w, r)
		return
	}
	w.Header().Set("Content-Type", fmt.Sprint(file["content_type"]))
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Cache-Control", "public, max-age=604800, must-revalidate")
	_, _ = w.Write(data)
}

func (f files) open(hash bson.M) ([]byte, error) {
	ctx, cancel := within(30)
	defer cancel()
	object, err := f.store.GetObject(ctx, fmt.Sprint(hash["bucket_id"]), fmt.Sprint(hash["path"]), minio.GetObjectOptions{})
	if err != nil {
		return nil, internal
	}
	body, err := io.ReadAll(object)
	if err != nil {
		fmt.Printf("s3: %v\n", err)
		return nil, internal
	}
	nonce, err := base64.StdEncoding.DecodeString(fmt.Sprint(hash["iv"]))
	if err != nil {
		return nil, internal
	}
	data, err := f.cipher().Open(nil, nonce, body, nil)
	if err != nil {
		fmt.Println("decryption failed")
		return nil, internal
	}
	return data, nil
}
