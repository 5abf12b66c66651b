package main

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// rightIntents is a controller done right: one merge patch for the finalizer where it is missing, one for the final
// status, deaf to its own status by a generation predicate.
type rightIntents struct {
	client.Client
	job     *job
	workers int
}

func (r *rightIntents) setUp(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		For(&NetworkIntent{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.workers}).
		Complete(r)
}

func (r *rightIntents) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	intent := &NetworkIntent{}
	if err := r.Get(ctx, request.NamespacedName, intent); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := copied(intent)
	if !intent.DeletionTimestamp.IsZero() {
		if err := r.job.undo(ctx, intent); err != nil {
			return ctrl.Result{}, err
		}
		controllerutil.RemoveFinalizer(intent, intentFinalizer)
		return ctrl.Result{}, client.IgnoreNotFound(r.Patch(ctx, intent, client.MergeFrom(before)))
	}
	if controllerutil.AddFinalizer(intent, intentFinalizer) {
		if err := r.Patch(ctx, intent, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
	}
	if done(intent) {
		return ctrl.Result{}, nil
	}
	before = copied(intent)
	if err := r.job.all(ctx, intent); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, client.IgnoreNotFound(r.Status().Patch(ctx, intent, client.MergeFrom(before)))
}

func copied(intent *NetworkIntent) *NetworkIntent {
	return intent.DeepCopyObject().(*NetworkIntent)
}
