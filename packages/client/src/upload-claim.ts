// Says to the other tabs of this browser which uploads are under way here (Web Locks), so that none offers to resume an
// upload that is running next door. Where locks are missing, nothing is claimed and nothing is known.

export interface UploadClaims {
  /** Holds the upload until the answer is called. */
  claim(uploadId: string): () => void;
  /** Ids of uploads held by any tab, this one included. */
  claimed(): Promise<ReadonlySet<string>>;
}

const prefix = 'stowage-upload:';

export function openUploadClaims(): UploadClaims {
  const locks = typeof navigator === 'undefined' || typeof document === 'undefined' ? undefined : navigator.locks;
  const here = new Set<string>();
  return {
    claim(uploadId) {
      here.add(uploadId);
      let letGo: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      // `ifAvailable`: a second holder does not queue up. The browser frees locks of a closed page by itself.
      locks?.request(prefix + uploadId, { ifAvailable: true }, () => held).catch(() => undefined);
      return () => {
        here.delete(uploadId);
        letGo();
      };
    },
    async claimed() {
      const everywhere = (await locks?.query().catch(() => undefined))?.held ?? [];
      const names = everywhere.flatMap(({ name }) => (name?.startsWith(prefix) ? [name.slice(prefix.length)] : []));
      return new Set([...here, ...names]);
    },
  };
}
