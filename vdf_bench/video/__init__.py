"""Videos in and out: decoding of hostile files, exact encoding, optical flow."""
