# One Consul server for one machine, on loopback only. The data folder and the ports are set on the
# command line:  consul agent -config-file=agent.hcl -data-dir=…  [-http-port=8500]
# `make up` adds a second file with TLS, access control, and the key of the gossip.

server           = true
bootstrap_expect = 1

bind_addr   = "127.0.0.1"
client_addr = "127.0.0.1"

# Only the HTTP or HTTPS API is used. Everything else is off, so that fewer ports are needed.
ports {
  dns      = -1
  grpc     = -1
  grpc_tls = -1
  serf_wan = -1
}

# The CA that certifies the services. No proxies are used.
connect {
  enabled = true
}

peering {
  enabled = false
}

performance {
  raft_multiplier = 1
}

# No update checks.
disable_update_check = true

log_level = "WARN"
