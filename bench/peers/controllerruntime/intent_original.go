package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// originalIntents has the request pattern of the Go original: the whole object by PUT each time, a status at each of 13
// points, six events, one worker, no predicate.
type originalIntents struct {
	client.Client
	job    *job
	events record.EventRecorder
}

func (r *originalIntents) setUp(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		For(&NetworkIntent{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1}).
		Complete(r)
}

func (r *originalIntents) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	intent := &NetworkIntent{}
	if err := r.Get(ctx, request.NamespacedName, intent); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !intent.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.removed(ctx, intent)
	}
	if controllerutil.AddFinalizer(intent, intentFinalizer) {
		return ctrl.Result{RequeueAfter: time.Second}, r.Update(ctx, intent)
	}
	if intent.Status.Phase == completed && passedAll(intent) {
		return ctrl.Result{}, nil
	}
	for i := range phases {
		if err := r.pass(ctx, intent, i); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.complete(ctx, intent)
}

// pass carries out one phase unless its condition is there: a status when it begins, one when it ends, an event. The
// first one has a further status, for its parameters.
func (r *originalIntents) pass(ctx context.Context, intent *NetworkIntent, i int) error {
	if meta.FindStatusCondition(intent.Status.Conditions, phases[i].condition) != nil {
		return nil
	}
	intent.Status.Phase = phases[i].phase
	if err := r.write(ctx, intent); err != nil {
		return err
	}
	if i == 0 {
		intent.Status.Extensions = map[string]string{"parameters": intent.Spec.Intent}
		if err := r.write(ctx, intent); err != nil {
			return err
		}
	}
	if err := r.job.do(ctx, intent, i); err != nil {
		return err
	}
	if err := r.write(ctx, intent); err != nil {
		return err
	}
	r.events.Event(intent, corev1.EventTypeNormal, phases[i].reason, phases[i].phase+" has ended")
	return nil
}

func (r *originalIntents) complete(ctx context.Context, intent *NetworkIntent) error {
	intent.Status.Phase = completed
	if err := r.write(ctx, intent); err != nil {
		return err
	}
	complete(intent)
	if err := r.write(ctx, intent); err != nil {
		return err
	}
	r.events.Event(intent, corev1.EventTypeNormal, "ReconciliationCompleted", "all phases have ended")
	return nil
}

func (r *originalIntents) removed(ctx context.Context, intent *NetworkIntent) error {
	if err := r.job.undo(ctx, intent); err != nil {
		return err
	}
	if !controllerutil.RemoveFinalizer(intent, intentFinalizer) {
		return nil
	}
	return client.IgnoreNotFound(r.Update(ctx, intent))
}

func (r *originalIntents) write(ctx context.Context, intent *NetworkIntent) error {
	now := metav1.Now()
	intent.Status.LastUpdateTime = &now
	return r.Status().Update(ctx, intent)
}

func passedAll(intent *NetworkIntent) bool {
	for _, each := range phases {
		if meta.FindStatusCondition(intent.Status.Conditions, each.condition) == nil {
			return false
		}
	}
	return true
}
