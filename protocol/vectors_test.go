package protocol_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

// codeOf is an error's code, "" for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return string(protocol.CodeOf(err))
}

type recordIn struct {
	Block vectors.Hex
	Now   *int64
}

type recordOut struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	By      string   `json:"by"`
	Known   bool     `json:"known"`
	Unknown []string `json:"unknown"`
	Crit    []string `json:"crit"`
}

func TestVectorsOfRecords(t *testing.T) {
	vectorstest.Run(t, "record", func(t *testing.T, c vectors.Case, in recordIn) (any, string) {
		r, err := record.Parse(in.Block)
		if err == nil && in.Now != nil {
			err = r.CheckTime(*in.Now)
		}
		if err != nil {
			return nil, codeOf(err)
		}
		_, opaque := r.Body().(*record.Opaque)
		unknown := append([]string{}, r.Unknown()...)
		slices.Sort(unknown)
		return recordOut{
			r.ID().String(), r.Type(), r.Header().By.String(), !opaque, unknown, append([]string{}, r.Header().Crit...),
		}, ""
	})
}

func TestVectorsOfIDs(t *testing.T) {
	vectorstest.Run(t, "cid", func(t *testing.T, c vectors.Case, in struct{ Block vectors.Hex }) (any, string) {
		id := codec.Sum(in.Block)
		return map[string]any{"bytes": vectors.Hex(id.Bytes()), "text": id.String()}, ""
	})
}

type decimalIn struct {
	Text *string
	Sum  []string
}

func TestVectorsOfDecimals(t *testing.T) {
	vectorstest.Run(t, "decimal", func(t *testing.T, c vectors.Case, in decimalIn) (any, string) {
		if in.Text != nil {
			d, err := decimal.Parse(*in.Text)
			if err != nil {
				return nil, string(protocol.CodeBadField)
			}
			return map[string]string{"tenThousandths": tenThousandths(t, d)}, ""
		}
		var terms []decimal.Decimal
		for _, text := range in.Sum {
			terms = append(terms, decimal.MustParse(text))
		}
		sum, err := decimal.Sum(terms...)
		if err != nil {
			return nil, string(protocol.CodeTotalMismatch)
		}
		return map[string]string{"text": sum.String()}, ""
	})
}

func tenThousandths(t *testing.T, d decimal.Decimal) string {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("%s is no number", d)
	}
	r.Mul(r, big.NewRat(10_000, 1))
	if !r.IsInt() {
		t.Fatalf("%s has too many digits", d)
	}
	return r.Num().String()
}
