// What makes the judged bytes the served bytes, by the cheapest means that the endpoint was proven to have. Design §6.

import type { UploadStrategy } from '@stowage/contract';
import type { Seal } from '../file-record.ts';
import type { Capability, FoundCapabilities } from './capabilities.ts';

/** What a seal rests on, for each way of sending, the cheapest seal first. */
const seals: Readonly<
  Record<UploadStrategy, readonly { readonly seal: Seal; readonly needs: readonly Capability[] }[]>
> = {
  put: [
    { seal: 'if-none-match', needs: ['conditionalPut', 'conditionalPutRace', 'conditionalPutSigned'] },
    { seal: 'version-id', needs: ['versions'] },
    { seal: 'promotion', needs: ['copy'] },
  ],
  form: [
    { seal: 'version-id', needs: ['form', 'versions'] },
    { seal: 'promotion', needs: ['form', 'copy'] },
  ],
  multipart: [
    { seal: 'service-only', needs: ['partsEndWithCompletion'] },
    { seal: 'version-id', needs: ['versions'] },
    { seal: 'promotion', needs: ['copy', 'copyParts'] },
  ],
  // Nobody is handed a URL.
  copy: [{ seal: 'service-only', needs: [] }],
};

/** The cheapest proven seal; `undefined` where nothing seals bytes that come this way. */
export function chooseSeal(
  strategy: UploadStrategy,
  found: FoundCapabilities,
  allowed: readonly Seal[] = allSeals,
): Seal | undefined {
  return seals[strategy].find(({ seal, needs }) => allowed.includes(seal) && needs.every((name) => found[name]))?.seal;
}

export const allSeals: readonly Seal[] = ['if-none-match', 'service-only', 'version-id', 'promotion'];

/** What each seal would have needed, for whoever has to mend the endpoint. */
export function explainMissing(strategy: UploadStrategy, found: FoundCapabilities, allowed: readonly Seal[]): string {
  const reasons = seals[strategy]
    .filter(({ seal }) => allowed.includes(seal))
    .map(({ seal, needs }) => `${seal} needs ${needs.filter((name) => !found[name]).join(', ')}`);
  return reasons.length === 0 ? `none of ${allowed.join(', ')} seals a ${strategy}` : reasons.join('; ');
}
