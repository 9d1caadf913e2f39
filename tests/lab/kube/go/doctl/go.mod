module lab/doctl

go 1.26.0

// The second only pins what doctl itself cannot be built without.
require (
	github.com/digitalocean/doctl v1.166.0
	github.com/Azure/go-ansiterm v0.0.0-20210617225240-d185dfc1b5a1
)
