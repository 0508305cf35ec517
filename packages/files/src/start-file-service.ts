import type { FileServiceOptions } from './open-file-service.ts';

export interface StartFileServiceOptions extends FileServiceOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** 0 chooses a free one. Default 3000. */
  readonly port?: number;
}

export interface RunningFileService {
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  /** An address of the console that signs its opener in, once. */
  signInUrl(): Promise<string>;
  /** Finishes running requests, at most `graceMs` (default 5 seconds), and stops. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export declare function startFileService(options: StartFileServiceOptions): Promise<RunningFileService>;
