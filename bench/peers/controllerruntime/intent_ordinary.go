package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// ordinaryIntents is what most controllers look like: a status by Update after each phase, an event at the end, no
// predicate.
type ordinaryIntents struct {
	client.Client
	job     *job
	events  events.EventRecorder
	workers int
}

func (r *ordinaryIntents) setUp(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		For(&NetworkIntent{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.workers}).
		Complete(r)
}

func (r *ordinaryIntents) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	intent := &NetworkIntent{}
	if err := r.Get(ctx, request.NamespacedName, intent); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !intent.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.removed(ctx, intent)
	}
	if controllerutil.AddFinalizer(intent, intentFinalizer) {
		if err := r.Update(ctx, intent); err != nil {
			return ctrl.Result{}, err
		}
	}
	if done(intent) {
		return ctrl.Result{}, nil
	}
	for i := range phases {
		if passed(intent, i) {
			continue
		}
		if err := r.job.do(ctx, intent, i); err != nil {
			return ctrl.Result{}, err
		}
		intent.Status.Phase = phases[i].phase
		if i == len(phases)-1 {
			complete(intent)
		}
		if err := r.Status().Update(ctx, intent); err != nil {
			return ctrl.Result{}, err
		}
	}
	r.events.Eventf(intent, nil, corev1.EventTypeNormal, "ReconciliationCompleted", "Reconcile", "all phases have ended")
	return ctrl.Result{}, nil
}

func (r *ordinaryIntents) removed(ctx context.Context, intent *NetworkIntent) error {
	if err := r.job.undo(ctx, intent); err != nil {
		return err
	}
	if !controllerutil.RemoveFinalizer(intent, intentFinalizer) {
		return nil
	}
	return client.IgnoreNotFound(r.Update(ctx, intent))
}
