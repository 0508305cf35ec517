// Loaded after the last test file of a group. It holds no test; node:test stands one in under the file's name, and when
// that shows up, every test file has been loaded. (A file whose loading never ends would otherwise look like silence.)
