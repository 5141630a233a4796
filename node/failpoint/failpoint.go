// Package failpoint marks the places where a crash must not lose anything.
//
// In ordinary builds [Hit] is an empty function and the compiler removes the
// call. With the build tag failpoints the process kills itself at the place
// that the environment names, so that a test can start it again and look:
//
//	PARLEY_FAILPOINT=name      dies at the first hit of name
//	PARLEY_FAILPOINT=name:3    dies at the third
//	PARLEY_FAILPOINT_LOG=file  appends every name that is hit, one a line
package failpoint
