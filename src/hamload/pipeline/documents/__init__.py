"""Raw documents become activities, samples and features: in processes of this machine or on a cluster."""
