import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scannerRow } from './scanner-row.ts';

test('the start says whether files are scanned, by what, and up to which size', () => {
  assert.deepEqual(scannerRow({}), {
    label: 'Scanner',
    value: 'none: files are not scanned for malware',
    note: 'CLAMD=host:port sets one',
    warns: true,
  });
  const {
    value,
    note = '',
    warns,
  } = scannerRow({ 'clamd.address': '127.0.0.1:3310', limits: { scanMaxBytes: 5_000 } });
  assert.equal(value, 'clamd at 127.0.0.1:3310');
  assert.match(note, /^files up to 5,000 bytes/);
  assert.equal(warns, undefined);
});
