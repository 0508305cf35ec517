// How many archives are sent at the same time: each holds a connection to the bucket as long as its reader takes. Who asks beyond that is
// told to come back; nobody waits in a queue, because those before may take hours. Whoever has a link of a share may ask without end, so
// that one share gets half of its tenant's places at most.

import { FilesError } from '../files-error.ts';

interface ArchivePlaces {
  /** Takes a place; answers how to give it back, which may be called again. Throws `too-busy`. */
  take(reader: ArchiveReader): () => void;
}

interface ArchiveReader {
  readonly tenantId: string;
  /** The share by which an archive is read. */
  readonly shareId?: string | undefined;
}

/** What is said to who comes too late. */
const retryAfterSeconds = 30;

export function openArchivePlaces({
  atOnce,
  ofTenant,
}: {
  readonly atOnce: number;
  readonly ofTenant: number;
}): ArchivePlaces {
  const ofShare = Math.ceil(ofTenant / 2);
  /** Places that are taken: of all, of tenants, of shares. */
  const taken = new Map<string, number>();
  return {
    take: ({ tenantId, shareId }) => {
      const limits = [
        { holder: 'all', limit: atOnce },
        { holder: `tenant ${tenantId}`, limit: ofTenant },
        ...(shareId === undefined ? [] : [{ holder: `share ${shareId}`, limit: ofShare }]),
      ];
      for (const { holder, limit } of limits) {
        const count = taken.get(holder) ?? 0;
        if (count < limit) continue;
        throw new FilesError('too-busy', {
          detail: `${count} archives are being sent already. Try again in a while, or fetch the files one by one.`,
          retryAfterSeconds,
        });
      }
      for (const { holder } of limits) taken.set(holder, (taken.get(holder) ?? 0) + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        for (const { holder } of limits) {
          const left = (taken.get(holder) ?? 1) - 1;
          if (left === 0) taken.delete(holder);
          else taken.set(holder, left);
        }
      };
    },
  };
}
