"""Tools of other people's servers, by the Model Context Protocol: started, asked what they offer, called."""
