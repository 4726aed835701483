// The Kubernetes provider's own main package embeds two generated files that its Go module lacks, so this one embeds
// copies made at build time (see sandbox/tools.py): schema.json with its version set, and terraform-mapping.json.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

var version = "0.0.0" // set by -ldflags -X

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
