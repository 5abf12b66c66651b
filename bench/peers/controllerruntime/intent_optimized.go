package main

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// optimizedIntents has the request pattern of the "optimized" package as it is written: conditions go to a batcher that
// keeps the newest of an object only, the object in memory never shows them, and each flush wakes the next reconcile. It
// has no end, and no intent gets past its first phase.
type optimizedIntents struct {
	client.Client
	batcher *batcher
}

const (
	removalWait   = 100 * time.Millisecond
	requeueDelay  = time.Second
	conflictDelay = 2 * time.Second
	nextLook      = 30 * time.Second
)

// pretended is how long the phases sleep instead of working.
var pretended = []time.Duration{100 * time.Millisecond, 50 * time.Millisecond, 75 * time.Millisecond, 200 * time.Millisecond}

func (r *optimizedIntents) setUp(manager ctrl.Manager) error {
	if err := manager.Add(r.batcher); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&NetworkIntent{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 5}).
		Complete(r)
}

func (r *optimizedIntents) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	intent := &NetworkIntent{}
	if err := r.Get(ctx, request.NamespacedName, intent); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !intent.DeletionTimestamp.IsZero() {
		return r.removed(ctx, intent)
	}
	if controllerutil.AddFinalizer(intent, intentFinalizer) {
		return ctrl.Result{RequeueAfter: requeueDelay}, r.Update(ctx, intent)
	}
	for i, duration := range pretended {
		if meta.FindStatusCondition(intent.Status.Conditions, phases[i].condition) != nil {
			continue
		}
		r.batcher.queue(request.NamespacedName, phases[i].phase, "Phase")
		if err := wait(ctx, duration); err != nil {
			return ctrl.Result{}, err
		}
		r.batcher.queue(request.NamespacedName, phases[i].phase, phases[i].condition)
		break // the next phases ask the object in memory for a condition that only the batcher has, and are skipped
	}
	r.batcher.queue(request.NamespacedName, "Ready", "Phase")
	return ctrl.Result{RequeueAfter: nextLook}, nil
}

func (r *optimizedIntents) removed(ctx context.Context, intent *NetworkIntent) (ctrl.Result, error) {
	if !controllerutil.RemoveFinalizer(intent, intentFinalizer) {
		return ctrl.Result{}, nil
	}
	r.batcher.queue(client.ObjectKeyFromObject(intent), "Deleting", "Phase")
	if err := wait(ctx, removalWait); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.Update(ctx, intent); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{RequeueAfter: conflictDelay}, nil
	}
	return ctrl.Result{}, nil
}

// batcher writes statuses, ten at a time: two seconds after the first one came, when there are ten, and every five
// seconds. A later update of an object replaces an earlier one; a failed one comes back a second later as the newest.
type batcher struct {
	client.Client
	mutex   sync.Mutex
	updates map[types.NamespacedName]update
	order   []types.NamespacedName
	timer   *time.Timer
	life    context.Context // of the manager: flushes outlive the reconcile that asked for them
}

type update struct{ phase, condition string }

const (
	batchSize    = 10
	batchTimeout = 2 * time.Second
	flushEvery   = 5 * time.Second
	retryDelay   = time.Second
	queueLimit   = 500
)

func newBatcher(ctx context.Context, client client.Client) *batcher {
	return &batcher{Client: client, updates: map[types.NamespacedName]update{}, life: ctx}
}

// Start flushes every five seconds until the context ends.
func (b *batcher) Start(ctx context.Context) error {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.flush(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

func (b *batcher) queue(name types.NamespacedName, phase, condition string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.order) >= queueLimit {
		return
	}
	if _, there := b.updates[name]; !there {
		b.order = append(b.order, name)
	}
	b.updates[name] = update{phase, condition}
	if len(b.order) >= batchSize {
		go b.flush(b.life)
	} else if b.timer == nil {
		b.timer = time.AfterFunc(batchTimeout, func() { b.flush(b.life) })
	}
}

func (b *batcher) flush(ctx context.Context) {
	for name, update := range b.taken() {
		if b.write(ctx, name, update) == nil {
			continue
		}
		time.AfterFunc(retryDelay, func() {
			if ctx.Err() == nil {
				b.queue(name, update.phase, update.condition)
			}
		})
	}
}

func (b *batcher) taken() map[types.NamespacedName]update {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	count := min(batchSize, len(b.order))
	batch := make(map[types.NamespacedName]update, count)
	for _, name := range b.order[:count] {
		batch[name] = b.updates[name]
		delete(b.updates, name)
	}
	b.order = b.order[count:]
	return batch
}

func (b *batcher) write(ctx context.Context, name types.NamespacedName, update update) error {
	intent := &NetworkIntent{}
	if err := b.Get(ctx, name, intent); err != nil {
		return err
	}
	meta.RemoveStatusCondition(&intent.Status.Conditions, update.condition) // its time is always now
	set(intent, update.condition, metav1.ConditionTrue, update.phase, "")
	intent.Status.Phase = update.phase
	return b.Status().Update(ctx, intent)
}
