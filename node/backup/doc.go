// Package backup writes all that a home can't rebuild into one encrypted file,
// and makes a home of such a file again. The file is encrypted with age to
// a recipient whose identity derives from the 24 words; the words themselves and
// the transport key are not in it. Specification: spec/12-backups.md.
package backup
