# One Consul server for one machine, on loopback only. The data folder and the ports are set on the
# command line:  consul agent -config-file=agent.hcl -data-dir=…  [-http-port=8500]

server           = true
bootstrap_expect = 1

bind_addr   = "127.0.0.1"
client_addr = "127.0.0.1"

# Only the HTTP API is used. Everything else is off, so that fewer ports are needed.
ports {
  dns      = -1
  grpc     = -1
  grpc_tls = -1
  serf_wan = -1
}

connect {
  enabled = false
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
