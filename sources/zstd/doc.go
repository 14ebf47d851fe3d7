// Package zstd compresses into zstd frames (RFC 8878), a whole one from one piece. With cgo the C library does it, which
// takes half the processor time of the one in Go and writes less; without, as in functions of AWS Lambda, the one in Go
// does. Frames of both are read by either, but are not the same bytes. It leaves reading to klauspost/compress.
package zstd
