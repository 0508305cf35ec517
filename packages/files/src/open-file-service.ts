import type { S3Settings } from './bucket/s3-settings.ts';
import type { FilesLimits } from './limits.ts';
import type { FilesLog } from './log.ts';

export interface FileServiceOptions {
  readonly s3: S3Settings;
  readonly database: {
    /** Of an SQLite file, made when missing. `:memory:` keeps nothing. */
    readonly path: string;
  };
  /** At least 32 bytes, the same for the life of the bucket: object keys carry a MAC made with it. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** Unpredictable bytes. Default `crypto.randomBytes`. */
  readonly random?: (sizeBytes: number) => Uint8Array;
  /** Default: nothing is logged. */
  readonly log?: FilesLog;
  readonly limits?: Partial<FilesLimits>;
  /** A built console to serve at `/`. Default: none. */
  readonly consoleDirectory?: string;
  /** Origins of pages, beside the service's own, that may call the API and send bytes to the bucket. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** The origin under which people reach the service, e.g. `https://files.example.com`. */
  readonly publicUrl?: string;
  /** Whether jobs and deadlines are worked on by themselves. Default true; without it only `tick` does. */
  readonly background?: boolean;
}

export interface FileService {
  /** Answers one HTTP request; never throws. */
  fetch(request: Request, context?: { readonly clientAddress?: string }): Promise<Response>;
  /** A token for one sign-in as the owner; good once, for `limits.signInLinkLifeMs`. */
  issueSignInToken(): Promise<string>;
  /** Works on everything that is due now, and what follows from it, until nothing is due. */
  tick(): Promise<void>;
  /** Ends background work, waits for what runs, and closes the database. */
  close(): Promise<void>;
}

export declare function openFileService(options: FileServiceOptions): Promise<FileService>;
