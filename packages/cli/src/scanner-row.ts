// The row of the summary that says whether files are scanned for malware. Apart from the others, because the limits are the file service's,
// which the engine alone need not load.

import { defaultLimits } from '@stowage/files';
import type { Settings } from './configuration/settings.ts';
import type { SummaryRow } from './summary.ts';

/** Whether files are scanned, and by what: a warning where nothing does, as nobody would notice by themselves. */
export function scannerRow(settings: Settings): SummaryRow {
  const address = settings['clamd.address'];
  const largest = (settings.limits?.scanMaxBytes ?? defaultLimits.scanMaxBytes).toLocaleString('en');
  return address === undefined
    ? {
        label: 'Scanner',
        value: 'none: files are not scanned for malware',
        note: 'CLAMD=host:port sets one',
        warns: true,
      }
    : {
        label: 'Scanner',
        value: `clamd at ${address}`,
        note: `files up to ${largest} bytes; larger ones are not judged`,
      };
}
