/** The receipt of a payment, verified in the browser with the code of the command line. */
import type { VerifiedReceipt } from '@payflowx/client';
import { useState } from 'react';
import { api } from '../../api/api.ts';
import { saveFile } from '../../ui/csv.ts';
import { useRun } from '../../ui/form.tsx';
import { CheckIcon, DownloadIcon } from '../../ui/icons.tsx';
import { Card, ErrorNote } from '../../ui/parts.tsx';

export function ReceiptCard({ id }: { id: string }) {
  const [verified, setVerified] = useState<VerifiedReceipt>();
  const { busy, error, run } = useRun();
  const verify = async () => {
    // The newest transactions are sealed a moment later. The client waits for that.
    const { data: receipt } = await api.get('/v1/ledger/payments/{id}/receipt', { params: { path: { id } } });
    const { verifyReceipt } = await import('../../receipt/verify.ts');
    setVerified(verifyReceipt(receipt, receipt.head.head_hash));
  };
  const download = async () => {
    const { data } = await api.get('/v1/ledger/payments/{id}/receipt', { params: { path: { id } } });
    saveFile(`receipt-${id}.json`, 'application/json', JSON.stringify(data, null, 2));
  };
  return (
    <Card title="Receipt" pad>
      <div className="stack">
        <p className="quiet small">
          A receipt proves that the journal holds the movements of this payment. This browser computes every
          hash itself.
        </p>
        {verified && (
          <div className="note good" role="status">
            <div className="row">
              <CheckIcon />
              <strong>Verified</strong>
            </div>
            <p className="small">
              {verified.transactions.length} of the journal’s {verified.size} transactions belong to this
              payment, under the root
            </p>
            <p className="hash">{verified.rootHash}</p>
          </div>
        )}
        {error !== undefined && <ErrorNote error={error} />}
        <div className="row">
          <button type="button" className="button" disabled={busy} onClick={() => void run(verify)}>
            {busy ? 'Verifying…' : 'Verify in this browser'}
          </button>
          <button type="button" className="button plain" disabled={busy} onClick={() => void run(download)}>
            <DownloadIcon /> Download
          </button>
        </div>
      </div>
    </Card>
  );
}
