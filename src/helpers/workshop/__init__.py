"""What a workshop needs: is this machine ready, and posteriors sampled beforehand."""
