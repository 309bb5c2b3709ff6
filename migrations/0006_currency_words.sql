-- Currencies are written `SOL` and `USDC` everywhere, as receipts have them.
UPDATE key_spending SET currency = upper(currency);
