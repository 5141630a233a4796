package kit

import (
	"fmt"
	"regexp"
	"strconv"
)

// Absent, as a value for With, takes the entry away.
var Absent = struct{ absent bool }{true}

var step = regexp.MustCompile(`[^.\[\]]+|\[\d+\]`)

// With is a copy of a body in which the value at a path such as
// "itemOffered[0].price" is another one, or Absent.
func With(body Map, path string, value any) Map {
	return with(body, step.FindAllString(path, -1), value).(Map)
}

// WithAll is With for pairs of path and value.
func WithAll(body Map, pairs ...any) Map {
	for i := 0; i < len(pairs); i += 2 {
		body = With(body, pairs[i].(string), pairs[i+1])
	}
	return body
}

// At is the value at a path, nil where there is none.
func At(body Map, path string) any {
	var value any = body
	for _, s := range step.FindAllString(path, -1) {
		switch v := value.(type) {
		case Map:
			value = v[s]
		case List:
			if value = nil; place(s) < len(v) {
				value = v[place(s)]
			}
		}
	}
	return value
}

func with(value any, steps []string, set any) any {
	if len(steps) == 0 {
		return set
	}
	switch v := value.(type) {
	case nil, Map:
		copied := Map{}
		if m, ok := v.(Map); ok {
			for key, entry := range m {
				copied[key] = entry
			}
		}
		if len(steps) == 1 && set == any(Absent) {
			delete(copied, steps[0])
		} else {
			copied[steps[0]] = with(copied[steps[0]], steps[1:], set)
		}
		return copied
	case List:
		copied := append(List{}, v...)
		i := place(steps[0])
		copied[i] = with(copied[i], steps[1:], set)
		return copied
	default:
		panic(fmt.Sprintf("kit: no %s in a %T", steps[0], value))
	}
}

func place(s string) int {
	i, err := strconv.Atoi(s[1 : len(s)-1])
	if err != nil {
		panic(err)
	}
	return i
}
