package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// KV is a small value of the node's own, kept beside the records: a mark, a
// date. A nil Value deletes.
type KV struct {
	Key   string // 1..256 bytes
	Value []byte // ..64 KiB
}

func checkMeta(kvs []KV) error {
	if len(kvs) > 64 {
		return errors.New("store: more than 64 values at once")
	}
	for _, kv := range kvs {
		if kv.Key == "" || len(kv.Key) > 256 || len(kv.Value) > 64<<10 {
			return fmt.Errorf("store: key %.40q or its value is too long or empty", kv.Key)
		}
	}
	return nil
}

func writeMeta(txn *badger.Txn, kvs []KV) error {
	for _, kv := range kvs {
		var err error
		if kv.Value == nil {
			err = txn.Delete(metaKey(kv.Key))
		} else {
			err = txn.Set(metaKey(kv.Key), kv.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SetMeta writes values, all of them or none.
func (s *Store) SetMeta(ctx context.Context, kvs ...KV) error {
	_, err := s.Put(ctx, nil, kvs...)
	return err
}

// Meta reads a value; nil if there is none.
func (s *Store) Meta(ctx context.Context, key string) (value []byte, err error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	err = s.view(func(txn *badger.Txn) error {
		item, err := txn.Get(metaKey(key))
		if err != nil {
			return err
		}
		value, err = item.ValueCopy([]byte{})
		return err
	})
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	return value, err
}
