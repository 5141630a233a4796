package spool

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// A blob's file name is what the index knows of it, in hexadecimal:
//
//	arrival (16 digits) . expiry in Unix seconds . size . bucket . ID
//
// It lies in the folder named by the first byte of the ID.

// maxBucket is the longest name of a bucket in characters.
const maxBucket = 64

// IDSize is the length of a blob's ID in bytes.
const IDSize = 32

// ID names a blob within its bucket; callers use the SHA-256 of the content.
type ID [IDSize]byte

// String is the ID in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Info is what the spool knows of a blob without reading it.
type Info struct {
	Bucket  string
	ID      ID
	Size    int       // bytes
	Expires time.Time // in whole seconds, UTC
	Arrival uint64    // counts up; the order in which blobs came
}

func (i Info) fileName() string {
	b := append(i.appendHead(make([]byte, 0, 192)), '.')
	b = append(strconv.AppendInt(b, int64(i.Size), 16), '.')
	b = append(append(b, i.Bucket...), '.')
	return string(hex.AppendEncode(b, i.ID[:]))
}

// appendHead appends the arrival and the expiry. Opening a spool does so for each
// of its blobs, so it is done by hand.
func (i Info) appendHead(b []byte) []byte {
	b = hex.AppendEncode(b, binary.BigEndian.AppendUint64(nil, i.Arrival))
	return strconv.AppendInt(append(b, '.'), i.Expires.Unix(), 16)
}

func (i Info) shard() string { return shardName(i.ID[0]) }

func shardName(b byte) string { return hex.EncodeToString([]byte{b}) }

// parseName is the reverse of fileName. Names that it didn't make are not the
// spool's business; ok is false then.
func parseName(name string) (info Info, ok bool) {
	var parts [5]string
	rest := name
	for i := range parts {
		part, after, found := strings.Cut(rest, ".")
		if found != (i < len(parts)-1) {
			return Info{}, false
		}
		parts[i], rest = part, after
	}
	arrival, err1 := strconv.ParseUint(parts[0], 16, 64)
	expires, err2 := strconv.ParseInt(parts[1], 16, 64)
	size, err3 := strconv.ParseUint(parts[2], 16, 31)
	id, err4 := hex.DecodeString(parts[4])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(id) != IDSize {
		return Info{}, false
	}
	info = Info{Bucket: parts[3], ID: ID(id), Size: int(size), Expires: time.Unix(expires, 0).UTC(), Arrival: arrival}
	return info, validBucket(info.Bucket) && info.fileName() == name
}

// validBucket reports whether a bucket's name is 1 to 64 lower-case hexadecimal
// digits: it becomes part of a file's name.
func validBucket(name string) bool {
	if name == "" || len(name) > maxBucket {
		return false
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
