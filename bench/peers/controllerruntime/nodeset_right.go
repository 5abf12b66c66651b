package main

import (
	"cmp"
	"context"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// rightSets is a controller done right: nodes in parallel with a slow start, metadata only in the cache, deaf to what it
// made itself, one merge patch for the status.
type rightSets struct {
	client.Client
	ric      ric
	parallel int
}

func (r *rightSets) setUp(manager ctrl.Manager) error {
	// What is created or changed here was created or changed by this controller; only a loss concerns it.
	losses := predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&E2NodeSet{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.ConfigMap{}, builder.OnlyMetadata, builder.WithPredicates(losses)).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.parallel}).
		Complete(r)
}

func (r *rightSets) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	set := &E2NodeSet{}
	if err := r.Get(ctx, request.NamespacedName, set); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	nodes, err := r.nodes(ctx, set)
	if err != nil {
		return ctrl.Result{}, err
	}
	before := set.DeepCopyObject().(*E2NodeSet)
	if !set.DeletionTimestamp.IsZero() {
		if err := r.each(ctx, len(nodes), func(ctx context.Context, i int) error {
			return r.ric.deregister(ctx, nodes[i].Labels[idLabel])
		}); err != nil {
			return ctrl.Result{}, err
		}
		controllerutil.RemoveFinalizer(set, nodeSetFinalizer)
		return ctrl.Result{}, client.IgnoreNotFound(r.Patch(ctx, set, client.MergeFrom(before)))
	}
	if controllerutil.AddFinalizer(set, nodeSetFinalizer) {
		if err := r.Patch(ctx, set, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
	}
	if err := r.become(ctx, set, nodes); err != nil {
		return ctrl.Result{}, err
	}
	before = set.DeepCopyObject().(*E2NodeSet)
	if err := r.report(ctx, set); err != nil {
		return ctrl.Result{}, err
	}
	if equality.Semantic.DeepEqual(before.Status, set.Status) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(r.Status().Patch(ctx, set, client.MergeFrom(before)))
}

// become creates what is missing, rewrites what differs and removes what is too much.
func (r *rightSets) become(ctx context.Context, set *E2NodeSet, nodes []metav1.PartialObjectMetadata) error {
	present := make([]int, 0, len(nodes))
	var surplus, stale []metav1.PartialObjectMetadata
	for _, node := range nodes {
		index := indexOf(node.Labels)
		if index < 0 || index >= set.Spec.Replicas {
			surplus = append(surplus, node)
			continue
		}
		present = append(present, index)
		if node.Annotations[versionAnnotation] != interfaceVersion(set) {
			stale = append(stale, node)
		}
	}
	fresh := missing(present, set.Spec.Replicas)
	if err := r.each(ctx, len(fresh), func(ctx context.Context, i int) error {
		if err := r.Create(ctx, nodeObject(set, fresh[i], "")); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
		return r.ric.register(ctx, nodeID(set, fresh[i]))
	}); err != nil {
		return err
	}
	if err := r.each(ctx, len(stale), func(ctx context.Context, i int) error {
		index := indexOf(stale[i].Labels)
		if err := r.ric.update(ctx, nodeID(set, index)); err != nil {
			return err
		}
		return r.Patch(ctx, nodeObject(set, index, stale[i].Annotations[createdAnnotation]), client.Merge)
	}); err != nil {
		return err
	}
	return r.each(ctx, len(surplus), func(ctx context.Context, i int) error {
		if err := r.ric.deregister(ctx, surplus[i].Labels[idLabel]); err != nil {
			return err
		}
		return client.IgnoreNotFound(r.Delete(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: surplus[i].Name, Namespace: surplus[i].Namespace,
		}}))
	})
}

// report writes into the status how the RIC sees the nodes, all of which exist.
func (r *rightSets) report(ctx context.Context, set *E2NodeSet) error {
	states, err := r.ric.states(ctx)
	if err != nil {
		return err
	}
	since := map[string]*metav1.Time{}
	for _, node := range set.Status.E2NodeStatuses {
		since[node.NodeID] = node.ConnectedSince
	}
	now := metav1.Now()
	nodes := make([]NodeStatus, set.Spec.Replicas)
	for index := range nodes {
		id := nodeID(set, index)
		nodes[index] = NodeStatus{NodeID: id, State: pending}
		if states[id] == "CONNECTED" {
			nodes[index] = NodeStatus{NodeID: id, State: connected, ConnectedSince: cmp.Or(since[id], &now)}
		}
	}
	tell(set, nodes)
	set.Status.E2NodeStatuses = nodes[:min(len(nodes), listedNodes)]
	set.Status.ObservedGeneration = set.Generation
	if set.Status.ReadyReplicas == set.Spec.Replicas {
		set.Status.Phase = "Ready"
		setCondition(set, "Degraded", metav1.ConditionFalse, "NodesHealthy", "no node is disconnected or in error")
		setCondition(set, "Ready", metav1.ConditionTrue, "E2NodesReady", "all nodes are connected")
	}
	return nil
}

func (r *rightSets) nodes(ctx context.Context, set *E2NodeSet) ([]metav1.PartialObjectMetadata, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
	err := r.List(ctx, list, client.InNamespace(set.Namespace), client.MatchingLabels(nodeLabels(set)))
	return list.Items, err
}

// each calls `work` for every number below `count`: 1, then 2, 4, … at a time up to `parallel`, as long as all succeed.
func (r *rightSets) each(ctx context.Context, count int, work func(context.Context, int) error) error {
	next := 0
	for width := 1; next < count && width < r.parallel; width *= 2 {
		group, within := errgroup.WithContext(ctx)
		for end := min(next+width, count); next < end; next++ {
			number := next
			group.Go(func() error { return work(within, number) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	var place atomic.Int64
	place.Store(int64(next))
	group, within := errgroup.WithContext(ctx)
	for range r.parallel {
		group.Go(func() error {
			for number := int(place.Add(1)) - 1; number < count; number = int(place.Add(1)) - 1 {
				if err := work(within, number); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
