package record

import (
	"errors"
	"fmt"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// bundleVersion is the first entry of a bundle.
const bundleVersion = 1

// EncodeBundle packs 1 to 16 records into what is sealed: the main record last,
// the records that it cites before it. It fails with the codes too_large and
// bad_field.
func EncodeBundle(recs ...*Record) ([]byte, error) {
	if err := checkBundle(len(recs), protocol.CodeBadField); err != nil {
		return nil, err
	}
	blocks := make([]any, len(recs))
	for i, r := range recs {
		blocks[i] = r.raw
	}
	return bundleLimits().Encode([]any{int64(bundleVersion), blocks})
}

// DecodeBundle unpacks a bundle and parses and verifies each of its records. It
// fails as [Parse] does, with the place as the error's field, and with the codes
// malformed and unsupported_version for the bundle itself.
func DecodeBundle(bundle []byte) ([]*Record, error) {
	value, err := bundleLimits().Decode(bundle)
	if err != nil {
		return nil, err
	}
	parts, _ := value.([]any)
	if len(parts) == 0 {
		return nil, malformedBundle()
	}
	if v, ok := parts[0].(int64); !ok {
		return nil, malformedBundle()
	} else if v != bundleVersion {
		return nil, protocol.Errorf(protocol.CodeUnsupportedVersion, "", "version %d of bundles is not known here", v)
	}
	if len(parts) != 2 {
		return nil, malformedBundle()
	}
	blocks, ok := parts[1].([]any)
	if !ok {
		return nil, malformedBundle()
	}
	if err := checkBundle(len(blocks), protocol.CodeMalformed); err != nil {
		return nil, err
	}
	recs := make([]*Record, len(blocks))
	for i, block := range blocks {
		raw, ok := block.([]byte)
		if !ok {
			return nil, malformedBundle()
		}
		if recs[i], err = Parse(raw); err != nil {
			return nil, inRecord(i, err)
		}
	}
	return recs, nil
}

func bundleLimits() codec.Limits {
	return codec.Limits{
		Size:   protocol.MaxSealedPayloadBytes,
		Depth:  2,
		Values: 3 + protocol.MaxBundleRecords,
	}
}

func checkBundle(n int, code protocol.Code) error {
	if n < 1 || n > protocol.MaxBundleRecords {
		return protocol.Errorf(code, "", "%d records; a bundle has 1 to %d", n, protocol.MaxBundleRecords)
	}
	return nil
}

func malformedBundle() error {
	return protocol.Errorf(protocol.CodeMalformed, "", "a bundle is a list of version and a list of records")
}

// inRecord is err with the place of a bundle's record before its field.
func inRecord(i int, err error) error {
	place := fmt.Sprintf("records[%d]", i)
	e, ok := errors.AsType[*protocol.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", place, err)
	}
	placed := *e
	placed.Field = place
	if e.Field != "" {
		placed.Field += "." + e.Field
	}
	return &placed
}
