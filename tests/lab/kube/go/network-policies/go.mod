// Enforces NetworkPolicies on the node: kube-router's controller for them, without its routes and services.
module lab/network-policies

go 1.26.0

require (
	github.com/cloudnativelabs/kube-router/v2 v2.1.0
	k8s.io/client-go v0.29.2
)
