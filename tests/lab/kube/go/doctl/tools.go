//go:build tools

package tools

import (
	_ "github.com/digitalocean/doctl/cmd/doctl"
)
