// ledger-check DIR ORIGIN: checks a ledger in a folder with Go's own packages, which are none of the product's code.
//
// It opens DIR/checkpoint with the keys in DIR/vkeys, reads every entry bundle, and checks each leaf against the tiles and these
// against the signed root. DIR/checkpoint.old must be the beginning of it, and DIR/entry.tlog-proof must prove its leaf, where they exist.
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: ledger-check DIR ORIGIN")
	}
	ledger := folder(os.Args[1])
	origin := os.Args[2]
	known := ledger.verifiers()
	head := open(ledger.read("checkpoint"), known, origin)
	hashes := tlog.TileHashReader(head, ledger)
	ledger.checkLeaves(head, hashes)
	fmt.Printf("%d leaves\n", head.N)
	if raw, err := os.ReadFile(ledger.path("checkpoint.old")); err == nil {
		old := open(raw, known, origin)
		proof := must(tlog.ProveTree(head.N, old.N, hashes))
		check(tlog.CheckTree(proof, head.N, head.Hash, old.N, old.Hash))
		fmt.Printf("%d is the beginning of %d\n", old.N, head.N)
	}
	if raw, err := os.ReadFile(ledger.path("entry.tlog-proof")); err == nil {
		index := checkProof(string(raw), known, origin)
		fmt.Printf("index %d is proven\n", index)
	}
}

// folder is a tlog.TileReader. Go's paths are tile/8/LEVEL/N, those of C2SP tile/LEVEL/N.
type folder string

func (f folder) Height() int                         { return 8 }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f folder) path(name string) string             { return filepath.Join(string(f), name) }
func (f folder) read(name string) []byte             { return must(os.ReadFile(f.path(name))) }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(f.path(strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) verifiers() note.Verifiers {
	var all []note.Verifier
	for _, key := range strings.Fields(string(f.read("vkeys"))) {
		all = append(all, must(note.NewVerifier(key)))
	}
	return note.VerifierList(all...)
}

// checkLeaves checks every leaf against its tile's hash, and the reader checks each tile against the root.
func (f folder) checkLeaves(head tlog.Tree, hashes tlog.HashReader) {
	const width, leafBytes = 256, 56
	for start := int64(0); start < head.N; start += width {
		count := min(width, head.N-start)
		tile := tlog.Tile{H: 8, L: 0, N: start / width, W: int(count)}
		bundle := f.read(strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1))
		if int64(len(bundle)) != count*(2+leafBytes) {
			fail("bundle of", start, "has", len(bundle), "bytes")
		}
		var indexes []int64
		for i := range count {
			indexes = append(indexes, tlog.StoredHashIndex(0, start+i))
		}
		wanted := must(hashes.ReadHashes(indexes))
		for i, hash := range wanted {
			leaf := bundle[i*(2+leafBytes) : (i+1)*(2+leafBytes)]
			if leaf[0] != 0 || leaf[1] != leafBytes || tlog.RecordHash(leaf[2:]) != hash {
				fail("leaf", start+int64(i), "is not in the tree")
			}
		}
	}
}

// open is not tlog.ParseTree, which takes "go.sum database tree" alone.
func open(raw []byte, known note.Verifiers, origin string) tlog.Tree {
	lines := strings.Split(must(note.Open(raw, known)).Text, "\n")
	if len(lines) != 4 || lines[0] != origin {
		fail("not a checkpoint of", origin)
	}
	return tlog.Tree{N: must(strconv.ParseInt(lines[1], 10, 64)), Hash: must(tlog.ParseHash(lines[2]))}
}

// checkProof reads c2sp.org/tlog-proof@v1.
func checkProof(raw string, known note.Verifiers, origin string) int64 {
	head, checkpoint, _ := strings.Cut(raw, "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("not a proof")
	}
	leaf := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
	index := must(strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64))
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		proof = append(proof, must(tlog.ParseHash(line)))
	}
	tree := open([]byte(checkpoint), known, origin)
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)))
	return index
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(what ...any) {
	fmt.Fprintln(os.Stderr, append([]any{"WRONG:"}, what...)...)
	os.Exit(1)
}
