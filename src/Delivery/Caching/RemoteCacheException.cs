namespace MASQuant.Delivery.Caching;

/// <summary>A remote cache did not serve as it should; the message says how, without its address.</summary>
public sealed class RemoteCacheException(string message, Exception? inner = null) : Exception(message, inner);
