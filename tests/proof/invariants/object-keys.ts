// Object keys, judged from outside: `<zone>/<tenant>/<user>/<category>/<name>.<mac>`. The MAC is computed anew here, not by the
// code that makes keys, so that a fault in that code is seen.

import { createHmac, hkdfSync } from 'node:crypto';

interface ReadKey {
  readonly zone: string;
  readonly tenantId: string;
  readonly userId: string;
  /** The file whose bytes, or a preview of them, lie there. */
  readonly fileId: string;
  /** Whether the key names nothing but the file, and no try to promote it and no preview. */
  readonly isPlain: boolean;
}

export interface KeyReader {
  /** `undefined` for a key without a valid MAC: somebody else's. */
  read(key: string): ReadKey | undefined;
}

const macBytes = 16;

export function openKeyReader(secret: Uint8Array): KeyReader {
  const macKey = Buffer.from(hkdfSync('sha256', secret, '', 'stowage object keys v1', 32));
  return {
    read: (key) => {
      const [, path, mac] = /^([\x21-\x7e]+)\.([0-9a-f]+)$/.exec(key) ?? [];
      if (path === undefined || mac === undefined) return undefined;
      const right = createHmac('sha256', macKey).update(path).digest().subarray(0, macBytes).toString('hex');
      const [zone, tenantId, userId, category, name, ...rest] = path.split('/');
      if (mac !== right || zone === undefined || name === undefined || rest.length > 0) return undefined;
      if (tenantId === undefined || userId === undefined || category === undefined) return undefined;
      const [fileId = ''] = name.split('-');
      return { zone, tenantId, userId, fileId, isPlain: fileId === name };
    },
  };
}
