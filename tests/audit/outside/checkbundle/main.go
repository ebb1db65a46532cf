// Command checkbundle verifies an export of the audit trail with the packages that
// verify Go's own checksum database, and with no code of the portal.
//
//	checkbundle EXPORT VKEY PROOF EVENT OLD CONSISTENCY
//
// EXPORT is the unpacked folder and VKEY the key of the log. PROOF is a proof of the
// event whose bytes are in EVENT, OLD an older checkpoint, CONSISTENCY the hashes that
// lead from it to the newest one. It says "ok" or why not.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// stored holds the hashes of all perfect subtrees in the order of package tlog.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for place, index := range indexes {
		if index >= int64(len(s)) {
			return nil, errors.New("there are fewer events than the checkpoint says")
		}
		found[place] = s[index]
	}
	return found, nil
}

// open checks the signature of a checkpoint and reads what it says.
func open(raw []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(raw, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// hashEvents hashes every line of every segment into a tree.
func hashEvents(folder string) (stored, int64, error) {
	var hashes stored
	count := int64(0)
	segments, err := filepath.Glob(filepath.Join(folder, "segments", "*.jsonl"))
	if err != nil {
		return nil, 0, err
	}
	for _, segment := range segments {
		file, err := os.Open(segment)
		if err != nil {
			return nil, 0, err
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<17)
		for lines.Scan() {
			added, err := tlog.StoredHashes(count, lines.Bytes(), hashes)
			if err != nil {
				return nil, 0, err
			}
			hashes = append(hashes, added...)
			count++
		}
		if err := lines.Err(); err != nil {
			return nil, 0, err
		}
	}
	return hashes, count, nil
}

// checkTiles compares every tile with the hashes of the events.
func checkTiles(folder string, size int64, hashes stored) error {
	for _, tile := range tlog.NewTiles(tileHeight, 0, size) {
		expected, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return err
		}
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		found, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if !bytes.Equal(expected, found) {
			return fmt.Errorf("%s is not the tile of these events", name)
		}
	}
	return nil
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// checkEvent checks a proof in the form of c2sp.org/tlog-proof@v1.
func checkEvent(proof, event []byte, verifier note.Verifier) error {
	head, checkpoint, _ := bytes.Cut(proof, []byte("\n\n"))
	tree, err := open(checkpoint, verifier)
	if err != nil {
		return err
	}
	lines := strings.Split(string(head), "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(lines[2:])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(event))
}

func check(folder, vkey string, files [4][]byte) error {
	proof, event, older, consistency := files[0], files[1], files[2], files[3]
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(raw, verifier)
	if err != nil {
		return err
	}
	hashes, count, err := hashEvents(folder)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if count != tree.N || root != tree.Hash {
		return errors.New("these are not the events that the log signed")
	}
	if err := checkTiles(folder, tree.N, hashes); err != nil {
		return err
	}
	if err := checkEvent(proof, event, verifier); err != nil {
		return fmt.Errorf("proof of the event: %w", err)
	}
	old, err := open(older, verifier)
	if err != nil {
		return err
	}
	path, err := parseHashes(strings.Fields(string(consistency)))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(path, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("proof of consistency: %w", err)
	}
	return nil
}

func main() {
	var files [4][]byte
	for place := range files {
		content, err := os.ReadFile(os.Args[3+place])
		if err != nil {
			fmt.Println(err)
			os.Exit(2)
		}
		files[place] = content
	}
	if err := check(os.Args[1], os.Args[2], files); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}
