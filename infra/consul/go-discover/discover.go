// Package discover replaces HashiCorp's go-discover. It has the same interface and no cloud providers,
// so that a Consul for one machine builds without the SDKs of ten clouds.
package discover

import (
	"errors"
	"log"
)

// Provider finds the addresses of servers to join.
type Provider interface {
	Addrs(args map[string]string, l *log.Logger) ([]string, error)
	Help() string
}

// Providers is empty: there is nothing to discover on one machine.
var Providers = map[string]Provider{}

// Discover resolves addresses of the form "provider=…".
type Discover struct{}

// Option configures a Discover.
type Option func(*Discover) error

// New returns a Discover that knows no provider.
func New(_ ...Option) (*Discover, error) { return &Discover{}, nil }

// WithUserAgent is accepted and ignored.
func WithUserAgent(string) Option { return func(*Discover) error { return nil } }

// WithProviders is accepted and ignored.
func WithProviders(map[string]Provider) Option { return func(*Discover) error { return nil } }

// Names lists the known providers: none.
func (*Discover) Names() []string { return nil }

// Addrs fails: this build joins no cloud.
func (*Discover) Addrs(string, *log.Logger) ([]string, error) {
	return nil, errors.New("this Consul was built without cloud auto-join")
}
