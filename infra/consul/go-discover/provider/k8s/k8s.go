// Package k8s stands in for go-discover's Kubernetes provider.
package k8s

import (
	"errors"
	"log"
)

// Provider discovers nothing.
type Provider struct{}

// Addrs fails: this build joins no cluster.
func (*Provider) Addrs(map[string]string, *log.Logger) ([]string, error) {
	return nil, errors.New("this Consul was built without Kubernetes auto-join")
}

// Help says why there is none.
func (*Provider) Help() string { return "not part of this build" }
