// Command controllerruntime is the operator as others write it: one job, the request pattern chosen by -mode.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const leaseName = "nephoran-intent-operator"

type options struct {
	namespace, mode, ric string
	git, work, manifests string
	sleep, heartbeat     time.Duration
	workers              int
	leak                 bool
}

func main() {
	var chosen options
	flag.StringVar(&chosen.namespace, "namespace", "", "namespace to work in")
	flag.StringVar(&chosen.mode, "mode", "right", "original, optimized, ordinary or right")
	flag.StringVar(&chosen.ric, "ric", "", "base URL of the RIC of all sets (right)")
	flag.StringVar(&chosen.git, "git", "", "remote that receives the manifests; without one nothing is rendered or committed")
	flag.StringVar(&chosen.work, "work", "", "folder for the local repository (with -git)")
	flag.StringVar(&chosen.manifests, "manifests", "", "folder of templates (with -git)")
	flag.DurationVar(&chosen.sleep, "sleep", 0, "wait in the last phase (original: 2s)")
	flag.DurationVar(&chosen.heartbeat, "heartbeat", 10*time.Second, "time between two heartbeats of a node (original)")
	flag.IntVar(&chosen.workers, "workers", 16, "objects or nodes at a time (ordinary, right)")
	flag.BoolVar(&chosen.leak, "leak", false, "start a heartbeat at every reconcile, as written (original)")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))
	if err := run(chosen); err != nil {
		fmt.Fprintln(os.Stderr, "controllerruntime:", err)
		os.Exit(1)
	}
}

// settable is one controller of the operator.
type settable interface {
	setUp(manager ctrl.Manager) error
}

func run(chosen options) error {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), addToScheme(scheme)); err != nil {
		return err
	}
	config, err := ctrl.GetConfig() // by -kubeconfig; without a limit of the client's own
	if err != nil {
		return err
	}
	watched := cache.Options{DefaultNamespaces: map[string]cache.Config{chosen.namespace: {}}}
	if chosen.mode == "right" {
		watched.DefaultTransform = cache.TransformStripManagedFields()
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         watched,
		Metrics:                       metricsserver.Options{BindAddress: "127.0.0.1:0"},
		HealthProbeBindAddress:        "127.0.0.1:0",
		LeaderElection:                true,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       chosen.namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	all, err := controllers(ctx, manager, chosen)
	if err != nil {
		return err
	}
	for _, each := range all {
		if err := each.setUp(manager); err != nil {
			return err
		}
	}
	return manager.Start(ctx)
}

func controllers(ctx context.Context, manager ctrl.Manager, chosen options) ([]settable, error) {
	work, err := newJob(manager, chosen)
	if err != nil {
		return nil, err
	}
	client := manager.GetClient()
	switch chosen.mode {
	case "original":
		events := manager.GetEventRecorderFor("networkintent-controller")
		return []settable{
			&originalIntents{client, work, events},
			&originalSets{Client: client, events: events, heartbeat: chosen.heartbeat, leak: chosen.leak, life: ctx},
		}, nil
	case "optimized":
		return []settable{&optimizedIntents{client, newBatcher(ctx, client)}}, nil
	case "ordinary":
		events := manager.GetEventRecorder("networkintent-controller")
		return []settable{&ordinaryIntents{client, work, events, chosen.workers}}, nil
	case "right":
		return []settable{
			&rightIntents{client, work, chosen.workers},
			&rightSets{client, newRIC(chosen.ric, chosen.workers), chosen.workers},
		}, nil
	}
	return nil, fmt.Errorf("-mode %q: expected original, optimized, ordinary or right", chosen.mode)
}

func newJob(manager ctrl.Manager, chosen options) (*job, error) {
	made := &job{sleep: chosen.sleep}
	if chosen.git == "" {
		return made, nil
	}
	var err error
	if made.manifests, err = readManifests(chosen.manifests); err != nil {
		return nil, err
	}
	folder := filepath.Join(chosen.work, "repository")
	if made.repository, err = clone(chosen.git, folder, chosen.mode == "right"); err != nil {
		return nil, err
	}
	return made, manager.Add(made.repository)
}
