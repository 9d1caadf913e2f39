module lab/stores

go 1.26.0

require (
	github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b
	github.com/minio/minio-go/v7 v7.4.1
	go.mongodb.org/mongo-driver/v2 v2.9.3
)
