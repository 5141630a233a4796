// Package tap writes down what a node receives from others, after the
// transport's encryption is off, so that a test can look for what should not be
// there.
//
// In ordinary builds [Saw] is an empty function. With the build tag failpoints
// it appends the bytes to the file that PARLEY_TAP names.
package tap
