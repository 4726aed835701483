"""`fatefed convert kubefate`: from a KubeFATE `cluster.yaml` to a stack file with the same meaning."""
