// For who has a sign-in link, and opened it elsewhere or not at all.

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { TextField } from '../shell/text-field.tsx';
import { readSignInToken } from './sign-in-token.ts';
import type { SignInRefusal } from './use-sign-in.ts';

interface LinkFormProps {
  readonly refusal: SignInRefusal | undefined;
  /** Id of what is said of a link that did not do. */
  readonly failedId: string;
  readonly isBusy: boolean;
  readonly onToken: (token: string) => void;
}

export function LinkForm({ refusal, failedId, isBusy, onToken }: LinkFormProps): ReactNode {
  const [isMistyped, setMistyped] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const example = `${location.origin}/sign-in#token=…`;

  useEffect(() => {
    if (refusal !== undefined) field.current?.select();
  }, [refusal]);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const pasted = new FormData(event.currentTarget).get('link');
    const token = readSignInToken(typeof pasted === 'string' ? pasted : '');
    setMistyped(token === undefined);
    if (token === undefined) field.current?.select();
    else onToken(token);
  }

  const isUsed = !isMistyped && refusal?.code === 'sign-in-link-used';
  const mistyped = `This is not a sign-in link. One looks like ${example} and is found in the first lines that “npm start” or “stowage serve” shows in its terminal, or in an invitation.`;
  return (
    <form className="sign-in-form" noValidate onSubmit={submit}>
      <TextField
        ref={field}
        label="Sign-in link"
        name="link"
        autoComplete="off"
        placeholder={example}
        note="Open the link in this browser, or paste it here. It works once."
        problem={isMistyped ? mistyped : isUsed ? undefined : refusal?.words}
        problemId={isUsed ? failedId : undefined}
      />
      <button type="submit" className="button" disabled={isBusy}>
        Sign in by link
      </button>
    </form>
  );
}
