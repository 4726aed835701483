"""Clusters with a real node: containerd, kubelet and kube-proxy, boxed in namespaces of their own. Needs root."""
