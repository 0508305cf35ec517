// How many archives are sent at the same time: each holds a connection to the bucket as long as its reader takes. Who asks beyond that is
// told to come back; nobody waits in a queue, because those before may take hours.

import { FilesError } from '../files-error.ts';

interface ArchivePlaces {
  /** Takes a place; answers how to give it back, which may be called again. Throws `too-busy`. */
  take(tenantId: string): () => void;
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
  const tenants = new Map<string, number>();
  let taken = 0;
  return {
    take: (tenantId) => {
      const ofThis = tenants.get(tenantId) ?? 0;
      if (taken >= atOnce || ofThis >= ofTenant) {
        throw new FilesError('too-busy', {
          detail: `${ofThis >= ofTenant ? ofThis : taken} archives are being sent already. Try again in a while, or fetch the files one by one.`,
          retryAfterSeconds,
        });
      }
      taken += 1;
      tenants.set(tenantId, ofThis + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        taken -= 1;
        const left = (tenants.get(tenantId) ?? 1) - 1;
        if (left === 0) tenants.delete(tenantId);
        else tenants.set(tenantId, left);
      };
    },
  };
}
