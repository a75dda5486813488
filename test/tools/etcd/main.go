// Command etcd is etcd as it is released, from the module proxy: `go install` refuses its replace lines.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
