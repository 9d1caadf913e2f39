// Enforces NetworkPolicies on one node: kube-router's own controller for them, without its routes, its services and
// the API client of BGP and docker that its whole program brings along.
//
// usage: network-policies KUBECONFIG NODE SERVICES-RANGE
package main

import (
	"log"
	"os"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig, node, services := os.Args[1], os.Args[2], os.Args[3]
	access, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	must(err)
	client, err := kubernetes.NewForConfig(access)
	must(err)
	config := options.NewKubeRouterConfig()
	config.EnableIPv4 = true
	config.HostnameOverride = node
	config.ClusterIPCIDRs = []string{services}

	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)

	tables, sets, err := netpol.NewIPTablesHandlers(config)
	must(err)
	var setsInUse sync.Mutex
	open := func() (*netpol.NetworkPolicyController, error) {
		return netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &setsInUse, tables, sets)
	}
	controller, err := open()
	// The kubelet, which starts at the same time, has yet to announce the node.
	for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); controller, err = open() {
		time.Sleep(100 * time.Millisecond)
	}
	must(err)
	listen(pods, controller.PodEventHandler)
	listen(policies, controller.NetworkPolicyEventHandler)
	listen(namespaces, controller.NamespaceEventHandler)

	beats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range beats {
		}
	}()
	var all sync.WaitGroup
	all.Add(1)
	controller.Run(beats, stop, &all)
}

func listen(informer cache.SharedIndexInformer, handler cache.ResourceEventHandler) {
	_, err := informer.AddEventHandler(handler)
	must(err)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
