package space

import "golang.org/x/sys/windows"

// Measure is how many bytes an ordinary user can still write beside path, and
// how many the disk has in all.
func Measure(path string) (free, total uint64, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, 0, err
	}
	err = windows.GetDiskFreeSpaceEx(name, &free, &total, nil)
	return free, total, err
}
