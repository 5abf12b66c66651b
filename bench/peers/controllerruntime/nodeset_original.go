package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// originalSets has the request pattern of the Go original: one request at a time, the set by PUT after each node, and a
// heartbeat that writes every node. As intended there is one heartbeat per set; as written (`leak`) every reconcile
// starts another one, none of which ever ends.
type originalSets struct {
	client.Client
	events    record.EventRecorder
	heartbeat time.Duration
	leak      bool
	beating   sync.Map
	life      context.Context // of the manager: heartbeats outlive the reconcile that starts them
}

func (r *originalSets) setUp(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).
		For(&E2NodeSet{}).
		Owns(&corev1.ConfigMap{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1}).
		Complete(r)
}

func (r *originalSets) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	set := &E2NodeSet{}
	if err := r.Get(ctx, request.NamespacedName, set); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !set.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.removed(ctx, set)
	}
	if controllerutil.AddFinalizer(set, nodeSetFinalizer) {
		return ctrl.Result{RequeueAfter: time.Second}, r.Update(ctx, set)
	}
	if err := r.scale(ctx, set); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.Update(ctx, set); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.recount(ctx, request.NamespacedName); err != nil {
		return ctrl.Result{}, err
	}
	setCondition(set, "Ready", metav1.ConditionTrue, "E2NodesReady", "all nodes exist")
	if err := r.Status().Update(ctx, set); err != nil {
		// The set in memory is older than the status just written, so this one never lands.
		log.FromContext(ctx).V(1).Info("the Ready condition was not written", "error", err)
	}
	r.beat(request.NamespacedName)
	return ctrl.Result{}, nil
}

// scale fills gaps, removes the highest, and rewrites nodes of another configuration.
func (r *originalSets) scale(ctx context.Context, set *E2NodeSet) error {
	nodes, err := r.nodes(ctx, set)
	if err != nil {
		return err
	}
	present := make([]int, len(nodes))
	for i, node := range nodes {
		present[i] = indexOf(node.Labels)
	}
	switch {
	case len(nodes) < set.Spec.Replicas:
		for _, index := range missing(present, set.Spec.Replicas) {
			if err := r.Create(ctx, nodeObject(set, index, "")); err != nil {
				return err
			}
			r.events.Event(set, corev1.EventTypeNormal, "E2NodeCreated", nodeName(set, index)+" was created")
			if err := r.Update(ctx, set); err != nil { // clears a counter that was not set
				return err
			}
		}
	case len(nodes) > set.Spec.Replicas:
		for _, node := range slices.Backward(nodes[set.Spec.Replicas:]) {
			if err := r.Delete(ctx, &node); client.IgnoreNotFound(err) != nil {
				return err
			}
			r.events.Event(set, corev1.EventTypeNormal, "E2NodeDeleted", node.Name+" was deleted")
		}
	default:
		return r.rewrite(ctx, set, nodes)
	}
	return nil
}

func (r *originalSets) rewrite(ctx context.Context, set *E2NodeSet, nodes []corev1.ConfigMap) error {
	for _, node := range nodes {
		if node.Annotations[versionAnnotation] == interfaceVersion(set) {
			continue
		}
		renewed := nodeObject(set, indexOf(node.Labels), "")
		renewed.OwnerReferences = nil // lost, as in the original
		renewed.ResourceVersion = node.ResourceVersion
		renewed.Data[statusKey] = node.Data[statusKey]
		if err := r.Update(ctx, renewed); err != nil {
			return err
		}
		r.events.Event(set, corev1.EventTypeNormal, "E2NodeUpdated", node.Name+" was updated")
		if err := r.Update(ctx, set); err != nil {
			return err
		}
	}
	return nil
}

func (r *originalSets) removed(ctx context.Context, set *E2NodeSet) error {
	if !slices.Contains(set.Finalizers, nodeSetFinalizer) {
		return nil
	}
	nodes, err := r.nodes(ctx, set)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if err := r.Delete(ctx, &node); client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	r.events.Event(set, corev1.EventTypeNormal, "E2NodeSetDeleted", "all nodes were deleted")
	controllerutil.RemoveFinalizer(set, nodeSetFinalizer)
	return client.IgnoreNotFound(r.Update(ctx, set))
}

// recount writes the status anew from the nodes in the cache.
func (r *originalSets) recount(ctx context.Context, name types.NamespacedName) error {
	set := &E2NodeSet{}
	if err := r.Get(ctx, name, set); err != nil {
		return client.IgnoreNotFound(err)
	}
	nodes, err := r.nodes(ctx, set)
	if err != nil {
		return err
	}
	statuses := make([]NodeStatus, len(nodes))
	for i, node := range nodes {
		statuses[i] = NodeStatus{NodeID: node.Labels[idLabel], State: stateOf(&node).State}
	}
	tell(set, statuses)
	now := metav1.Now()
	set.Status.LastUpdateTime = &now
	return r.Status().Update(ctx, set)
}

func (r *originalSets) nodes(ctx context.Context, set *E2NodeSet) ([]corev1.ConfigMap, error) {
	list := &corev1.ConfigMapList{}
	err := r.List(ctx, list, client.InNamespace(set.Namespace), client.MatchingLabels(nodeLabels(set)))
	slices.SortFunc(list.Items, func(a, b corev1.ConfigMap) int {
		return cmp.Compare(indexOf(a.Labels), indexOf(b.Labels))
	})
	return list.Items, err
}

// beat starts a heartbeat of the set, unless it has one and only one is intended.
func (r *originalSets) beat(name types.NamespacedName) {
	if _, there := r.beating.LoadOrStore(name, true); there && !r.leak {
		return
	}
	go func() {
		ticker := time.NewTicker(r.heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				r.tick(r.life, name)
			case <-r.life.Done():
				return
			}
		}
	}()
}

// tick brings every node one state further and writes its heartbeat, then the status.
func (r *originalSets) tick(ctx context.Context, name types.NamespacedName) {
	set := &E2NodeSet{}
	if err := r.Get(ctx, name, set); err != nil || !set.DeletionTimestamp.IsZero() {
		return
	}
	nodes, err := r.nodes(ctx, set)
	if err != nil {
		return
	}
	for _, node := range nodes {
		state, now := stateOf(&node), time.Now().UTC().Format(time.RFC3339)
		switch state.State {
		case pending:
			state.State = initializing
		case initializing:
			state.State, state.ConnectedSince = connected, now
		}
		state.LastHeartbeat, state.StatusUpdatedAt = now, now
		state.HeartbeatCount++
		node.Data[statusKey] = text(state)
		if err := r.Update(ctx, &node); err != nil {
			log.FromContext(ctx).V(1).Info("a heartbeat was not written", "node", node.Name, "error", err)
		}
	}
	if err := r.recount(ctx, name); err != nil {
		log.FromContext(ctx).V(1).Info("the status was not written", "error", err)
	}
}
